/* The request board: three traders on one account who leave requests for each other, and a machine that kills them.
 *
 * Each has a slot of the board. Whoever has to wait for the lock leaves a request there; whoever has the lock does in one commit what he
 * and others want. The last trader comes twice: with a second request, or as another process that gets the slot of the first one.
 *
 * What must hold (each is an assertion):
 *   - no request is carried out twice;
 *   - a request that was acknowledged is in the journal, and on the disk if its owner wants that;
 *   - a request whose owner was told that nothing happened is not, and never will be;
 *   - the request of a process that was found dead is not carried out later.
 * And as long as somebody waits, somebody can go on.
 *
 * A line of the journal is a bit, by what was asked: no two ask for the same, so a line is found where the claim says, or not at all. A
 * power cut has no step of its own: it leaves no process and no lock, and what it leaves of the journal was looked at when it was
 * acknowledged. The owner of a claimed request can take the lock at any time, not only after a second of silence, and can be told at any
 * time after his deadline that the outcome is uncertain.
 *
 * Left out: what is in protocol.pml, so recovery, and syncs and undoing that fail; requests that the rules refuse, and request ids; half written
 * requests, claims and reports, which their checksums tell; writes to the board that fail; how old a request may be; resets; a lock file or a
 * board that is deleted; several threads with one slot; that it is asked who is alive before the requests are read; who wakes whom. Each defect
 * below is one -D away, and `check` shows that every one of them breaks an assertion. */

/* How many things go wrong, of any kind: a process killed, a commit that fails, a deadline that passes. */
#ifndef MISHAPS
#define MISHAPS 1
#endif

#define TRADERS 3
#define TWICE 2         /* who comes twice */
#define FREE 3
#define NOTHING 0

#define HAS(set, element) (((set) >> (element)) & 1)
#define WITH(set, element) ((set) | (1 << (element)))

/* What a trader asks for: a number from 1 on. */
#define ASKED(me, round) ((round) == 1 -> (me) + 1 : TRADERS + 1)

typedef request {
    byte ticket;        /* 0: none */
    byte asked
}
request requests[TRADERS];

typedef claim {
    byte ticket;
    byte asked;         /* what its line says; nothing if it was refused */
    byte leader, token, group
}
claim claims[TRADERS];

typedef report { byte token, group }
report reports[TRADERS];

/* Whether the slot has an owner, which its lock says. */
bool alive[TRADERS];

byte lock = FREE;
bool killed[TRADERS], is_busy[TRADERS];
byte mishaps = MISHAPS; /* that can still come */
#define CAN_HAPPEN (mishaps > 0)

/* What is in the journal, and which of it is on the disk. */
byte happened, durable;
/* What need not be on the disk when it is acknowledged. */
byte relaxed;
/* Whose owner was told that nothing happened, and whose owner was found dead. */
byte denied, abandoned;

/* Scratch space of single steps; zero in between. */
byte i, each;

#define IS_CLAIMED (claims[me].ticket == ticket && claims[me].asked != NOTHING)

#ifdef NO_TOKEN
#define IS_REPORTED (reports[mine.leader].group >= mine.group)
#else
#define IS_REPORTED (reports[mine.leader].token == mine.token && reports[mine.leader].group >= mine.group)
#endif

#ifdef NO_TICKET_CHECK
#define IS_NEW(slot) true
#else
#define IS_NEW(slot) (claims[slot].ticket != requests[slot].ticket)
#endif

#define IS_STILL_THERE(slot) (tickets[slot] == 0 || requests[slot].ticket == tickets[slot])

/* The line of the claim is there, and says what was asked. */
#define IS_THERE (mine.asked == asked && HAS(happened, mine.asked))

inline forget_claim() { mine.asked = NOTHING; mine.leader = 0; mine.token = 0; mine.group = 0 }

inline look_for_claim() {
    d_step {
        forget_claim();
        if
        :: IS_CLAIMED ->
            mine.asked = claims[me].asked; mine.leader = claims[me].leader; mine.token = claims[me].token; mine.group = claims[me].group
        :: else
        fi
    }
}

inline withdraw() { requests[me].ticket = 0; requests[me].asked = NOTHING }

inline forget_others() {
    tickets[0] = 0; tickets[1] = 0; tickets[2] = 0;
    wanted[0] = NOTHING; wanted[1] = NOTHING; wanted[2] = NOTHING
}

/* What others have left and nobody has claimed, if they want it on the disk as this one does. */
inline read_board() {
    d_step {
        do
        :: i == TRADERS -> break
        :: else ->
            if
            :: i != me && requests[i].ticket != 0 && IS_NEW(i) && HAS(relaxed, requests[i].asked) == HAS(relaxed, asked) ->
                if
                :: alive[i] -> tickets[i] = requests[i].ticket; wanted[i] = requests[i].asked; has_others = true
                :: else -> abandoned = WITH(abandoned, requests[i].asked)
                fi
            :: else
            fi;
            i++
        od;
        i = 0
    }
}

/* All of it in one write. */
inline write_claims() {
    d_step {
        group++;
        do
        :: i == TRADERS -> break
        :: else ->
            if
            :: wanted[i] != NOTHING ->
                claims[i].ticket = tickets[i]; claims[i].asked = wanted[i];
                claims[i].leader = me; claims[i].token = token; claims[i].group = group
            :: else
            fi;
            i++
        od;
        i = 0
    }
}

inline refuse() {
    d_step {
        do
        :: i == TRADERS -> break
        :: else -> if :: wanted[i] != NOTHING -> claims[i].asked = NOTHING :: else fi; i++
        od;
        i = 0;
        forget_others();
        has_others = false
    }
}

inline append() {
    d_step {
        wanted[me] = asked;
        do
        :: i == TRADERS -> break
        :: else ->
            each = wanted[i];
            if
            :: each != NOTHING ->
                assert(!HAS(happened, each));  /* a request is carried out twice */
                assert(!HAS(denied, each));    /* a request that did not happen does */
                assert(!HAS(abandoned, each)); /* a request happens whose owner is long dead */
                happened = WITH(happened, each)
            :: else
            fi;
            i++
        od;
        i = 0; each = 0;
        wanted[me] = NOTHING
    }
}

inline acknowledge() {
    atomic {
        each = asked;
        assert(HAS(happened, each));          /* an acknowledged request is not there */
        assert(HAS(durable | relaxed, each)); /* an acknowledged request can be lost */
        each = 0
    }
}

inline deny() {
    d_step {
        each = asked;
        assert(!HAS(happened, each));
        denied = WITH(denied, each);
        each = 0
    }
}

proctype trader(byte me) provided ((!killed[0] && !killed[1] && !killed[2]) || killed[me]) {
    byte round, asked, ticket, token, group;
    claim mine;         /* its claim, as it was when it was looked at */
    /* What it does for others. */
    byte tickets[TRADERS], wanted[TRADERS];
    bool has_others;

again:
    {
        /* A process. It takes the slot, and what the owner before has left there counts no longer; its tickets are none of his. */
        if
        :: atomic { round == (me == TWICE -> 2 : 1) -> goto done }
        :: atomic {
                round < (me == TWICE -> 2 : 1) ->
                token++; group = 0;
                reports[me].token = token; reports[me].group = 0;
#ifdef TICKETS_START_AGAIN
                ticket = (claims[me].ticket > requests[me].ticket -> claims[me].ticket : requests[me].ticket);
#endif
#ifndef SLOT_WITH_REQUEST
                withdraw();
#endif
                alive[me] = true; is_busy[me] = true
            }
        fi;
next:
        skip; /* where others come in between */
        atomic {
            round++; asked = ASKED(me, round);
            if
            :: lock == FREE -> lock = me; goto locked
            :: else /* it leaves a request */
            fi
        }
        d_step { ticket++; requests[me].ticket = ticket; requests[me].asked = asked }

wait:
        if
        :: atomic { lock == FREE -> lock = me }
        :: atomic { IS_CLAIMED -> look_for_claim(); goto is_reported }
        :: atomic { CAN_HAPPEN -> mishaps--; goto give_up }
        fi;
        /* Nobody has reported it: with the lock it can look itself. */
        d_step { withdraw() }
        atomic { look_for_claim() }
look:
        atomic {
            if
#ifdef NO_LOOK_INTO_JOURNAL
            :: true -> goto locked
#else
            :: mine.asked == NOTHING -> goto locked
#ifdef TRUST_CLAIM
            :: mine.asked != NOTHING -> forget_claim(); lock = FREE; goto sync
#else
            :: mine.asked != NOTHING && IS_THERE -> forget_claim(); lock = FREE; goto sync
            :: mine.asked != NOTHING && !IS_THERE -> goto locked
#endif
#endif
            fi
        }

is_reported:
        if
        :: IS_REPORTED
        :: atomic { !IS_REPORTED -> forget_claim(); goto wait }
        fi;
reported:
        /* The claim can have been refused before the report was looked at, which is about a later group then. */
        if
#ifdef TRUST_REPORT
        :: atomic { true -> goto acknowledged }
#else
        :: atomic { IS_THERE -> goto acknowledged }
        :: !IS_THERE
#endif
        fi;
        if
        :: atomic { lock == FREE -> lock = me; goto look }
        :: atomic { CAN_HAPPEN -> mishaps--; goto finished }
        fi;

give_up:
#ifdef LOOK_BEFORE_WITHDRAWING
        atomic { look_for_claim() }
        atomic {
            withdraw();
#else
        atomic { withdraw() }
        atomic {
            look_for_claim();
#endif
            if
            :: mine.asked == NOTHING -> deny(); goto finished
            :: else
            fi
        }
        /* Somebody is doing it just now. */
        if
        :: atomic { lock == FREE -> lock = me; goto look }
        :: atomic { IS_REPORTED -> goto reported }
        :: atomic { true -> goto finished }
        fi;

locked: /* It has the lock, and its own request has not been carried out. */
        skip;
        atomic {
            forget_claim();
            read_board();
            if
            :: !has_others -> goto decided
            :: else
            fi
        }
#ifndef CLAIM_AFTER_APPEND
        write_claims();
#ifndef NO_SECOND_LOOK
        atomic {
            if
            :: IS_STILL_THERE(0) && IS_STILL_THERE(1) && IS_STILL_THERE(2) -> goto decided
            :: else
            fi
        }
        refuse();
#endif
#endif
decided:
        skip;
        if
        :: atomic { true -> append() }
        :: atomic { CAN_HAPPEN -> mishaps-- }
            if :: has_others -> refuse() :: !has_others fi;
            atomic { deny(); lock = FREE; goto finished }
        fi;
#ifdef CLAIM_AFTER_APPEND
        if :: has_others -> write_claims() :: !has_others fi;
#endif
        d_step { forget_others(); lock = FREE }
#ifdef REPORT_BEFORE_SYNC
        if :: has_others -> reports[me].group = group :: !has_others fi;
#endif
sync:
        atomic { if :: HAS(relaxed, asked) :: else -> durable = happened fi }
acknowledged:
        atomic {
            if :: has_others -> reports[me].group = group :: else fi;
            acknowledge()
        }
finished:
        atomic {
            forget_claim(); asked = NOTHING; has_others = false;
            if
            :: round < (me == TWICE -> 2 : 1) -> goto next
            :: true -> alive[me] = false; is_busy[me] = false; goto again
            fi
        }
done:   atomic { ticket = 0; group = 0 }
    } unless {
        d_step {
            killed[me] -> killed[me] = false;
            forget_claim(); forget_others();
            asked = NOTHING; has_others = false
        }
        goto again
    }
}

/* What happens to processes, as often as there is some left of it. */
proctype world() provided (!killed[0] && !killed[1] && !killed[2]) {
    byte victim;
end:
    do
    :: atomic {
            CAN_HAPPEN && (is_busy[0] || is_busy[1] || is_busy[2]) -> mishaps--;
            if :: is_busy[0] -> victim = 0 :: is_busy[1] -> victim = 1 :: is_busy[2] -> victim = 2 fi;
            if :: lock == victim -> lock = FREE :: else fi;
            d_step { alive[victim] = false; is_busy[victim] = false; killed[victim] = true; victim = 0 }
        }
    od
}

init {
    atomic {
        /* All want everything on the disk; or only the first does, and who comes first in the last slot. */
        if :: true :: relaxed = WITH(WITH(0, ASKED(1, 1)), ASKED(TWICE, 2)) fi;
        run trader(0); run trader(1); run trader(2); run world()
    }
}

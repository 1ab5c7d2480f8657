/* The commit protocol: two traders on one account, a disk that loses what was not synced, and a machine that kills them.
 *
 * The journal's SLOTS records stand in the page cache and on the disk. What was written and not synced is on the disk, torn or lost
 * after a power cut, each record by itself. A failed sync leaves pages clean that are not on the disk, and is reported once to every
 * open file. Each trader opens the account, which recovers it, and then, in either order, buys with a request id and executes the
 * queue. Whoever is killed, or told that an outcome is uncertain, opens again and repeats what it has not heard the outcome of.
 *
 * What must hold (each is an assertion):
 *   - a commit that was acknowledged is in the journal, whatever happens;
 *   - a commit whose trader was told that nothing happened is not;
 *   - no more is spent than there is; no request and no queue entry is executed twice;
 *   - recovery never takes what a crash leaves for damage.
 *
 * Left out: resets, extending the journal, commits of several records, and real damage. Each defect below is one -D away, and
 * `check` shows that every one of them breaks an assertion. */

/* How many things go wrong, of any kind: a process killed, the power cut, an append or a publication that fails, a sync that fails
 * (also the kernel's own, of which it tells later). */
#ifndef MISHAPS
#define MISHAPS 2
#endif
/* The kinds that happen at all: what one defect is found with need not slow down another. */
#ifdef WITHOUT_FAULTS
#define CAN_FAIL false
#else
#define CAN_FAIL (mishaps > 0)
#endif
#ifdef WITHOUT_LOST_SYNCS
#define CAN_LOSE_SYNC false
#else
#define CAN_LOSE_SYNC (mishaps > 0)
#endif
#ifdef WITHOUT_KILLS
#define CAN_KILL false
#else
#define CAN_KILL (mishaps > 0)
#endif

#define SLOTS 4
#define VERSIONS 8      /* more than can be told apart at one time; 0 is none */
#define NOTHING 0
#define TORN 15
#define FREE 2

#ifndef CASH
#define CASH 10
#endif
#define BUY 1           /* for 6 */
#define EXECUTE 2       /* the queue's one entry, for 4 */
#define UNQUEUE 3       /* a commit of its own only with QUEUE_IN_TWO_COMMITS */

#define REFUSE 1
#define ACCEPT 2
#define REPEAT 3

#define HAS(set, element) (((set) >> (element)) & 1)
#define WITH(set, element) ((set) | (1 << (element)))
#define WITHOUT(set, element) ((set) & ~(1 << (element)))
#define IS_RECORD(content) ((content) != NOTHING && (content) != TORN)

#ifdef NO_CHAIN
#define FOLLOWS(content, version) IS_RECORD(content)
#else
#define FOLLOWS(content, version) (IS_RECORD(content) && records[content].before == (version))
#endif

/* A record, by its version. A version stands for all of its bytes, so `before` is the chained checksum. */
typedef record {
    byte kind;
    byte request;       /* 0: none */
    byte before;        /* the version of the record before */
    byte durable        /* how many records its writer knew to be on the disk */
}
record records[VERSIONS];

byte cache[SLOTS], disk[SLOTS];
bool dirty[SLOTS];      /* not synced */

/* portfolio.json, as far as recovery looks at it. */
byte view_count, view_version, view_durable;

/* What a trader knows of the account. */
typedef handle {
    bool is_open;
    bool lost_sync;     /* a failed sync that its file has yet to report */
    byte count;         /* the records it has read */
    byte last;          /* the version of the last one */
    byte durable        /* how many it knows to be on the disk */
}
handle handles[2];
#define my handles[me]

byte lock = FREE;
bool killed[2];
byte mishaps = MISHAPS;    /* that can still come */

/* The versions whose trader was told that it happened, and that nothing happened. */
byte acknowledged, denied;

/* Scratch space of single steps; zero in between. */
byte i, each, seen, executions;
short cash;
bool queued;

/* The account as of a version. `seen` becomes the set of its requests. */
inline fold(version) {
    cash = CASH; queued = true; seen = 0;
    each = version;
    do
    :: each == NOTHING -> break
    :: else ->
        if
        :: records[each].kind == BUY -> cash = cash - 6
        :: records[each].kind == EXECUTE ->
            cash = cash - 4;
            executions++;
#ifndef QUEUE_IN_TWO_COMMITS
            queued = false
#endif
        :: records[each].kind == UNQUEUE -> queued = false
        fi;
        if
        :: records[each].request == 0
        :: else ->
            assert(!HAS(seen, records[each].request)); /* a request is executed twice */
            seen = WITH(seen, records[each].request)
        fi;
        each = records[each].before
    od
}

inline forget() { i = 0; each = 0; seen = 0; executions = 0; cash = 0; queued = false }

/* Whatever it was doing, a trader forgets it. */
inline restart() {
    if :: lock == me -> lock = FREE :: else fi;
    my.is_open = false; my.lost_sync = false; my.count = 0; my.last = NOTHING; my.durable = 0;
    job = 0; decision = 0; version = NOTHING; succeeded = false; has_tail = false
}

/* What must hold of the account whenever somebody looks. */
inline check() {
    d_step {
        do
        :: i < SLOTS && FOLLOWS(cache[i], each) -> each = cache[i]; seen = WITH(seen, each); i++
        :: else -> break
        od;
        assert((acknowledged & ~seen) == 0); /* an acknowledged commit is lost */
        assert((denied & seen) == 0);        /* a commit that did not happen is there */
        fold(each);
        assert(cash >= 0);                   /* overspent */
        assert(executions <= 1);             /* a queue entry is executed twice */
        forget()
    }
}

/* pwrite. What is overwritten may have reached the disk before. */
inline write(slot, content) {
    if
    :: dirty[slot] && disk[slot] != cache[slot] -> disk[slot] = cache[slot]
    :: true
    fi;
    cache[slot] = content;
    dirty[slot] = true
}

/* Any of the dirty records reach the disk, or half of them does; then none is dirty any more. */
inline write_some_back() {
    do
    :: i == SLOTS -> break
    :: else ->
        if
        :: dirty[i] && disk[i] != cache[i] -> disk[i] = cache[i]
        :: dirty[i] && disk[i] != cache[i] -> disk[i] = TORN
        :: true
        fi;
        dirty[i] = false;
        i++
    od;
    i = 0
}

/* fdatasync; `succeeded` is what it returns. */
inline sync_journal() {
    atomic {
        if
        :: my.lost_sync -> my.lost_sync = false; succeeded = false
        :: !my.lost_sync ->
            d_step {
                do
                :: i == SLOTS -> break
                :: else ->
                    if :: dirty[i] -> disk[i] = cache[i] :: else fi;
                    dirty[i] = false;
                    i++
                od;
                i = 0;
                succeeded = true
            }
        :: !my.lost_sync && CAN_LOSE_SYNC ->
            mishaps--;
            write_some_back();
            handles[1 - me].lost_sync = handles[1 - me].is_open;
            succeeded = false
        fi
    }
}

/* Reads what is new; everything if the last record that was known has changed. */
inline catch_up() {
    d_step {
        if
        :: my.count > 0 && cache[my.count - 1] != my.last -> my.count = 0; my.last = NOTHING; my.durable = 0
        :: else
        fi;
        do
        :: my.count < SLOTS && FOLLOWS(cache[my.count], my.last) ->
            my.last = cache[my.count];
            my.count++;
            if :: records[my.last].durable > my.durable -> my.durable = records[my.last].durable :: else fi
        :: else -> break
        od
    }
}

/* Under the lock: wipes what is not the account's, and writes again what is not known to be on the disk. */
inline recover() {
    d_step {
        /* Nobody knows anything to be on the disk that is not there: that would be damage, and stop the account. */
        assert(view_durable <= my.count);
        if
        :: view_count > 0 && view_count <= my.count && cache[view_count - 1] == view_version && view_durable > my.durable ->
            my.durable = view_durable
        :: else
        fi;
        i = my.count;
        do
        :: i == SLOTS -> break
        :: else ->
            if :: IS_RECORD(cache[i]) -> assert(records[cache[i]].durable <= my.count) :: else fi;
            if :: cache[i] != NOTHING -> has_tail = true :: else fi;
            i++
        od;
        i = 0
    }
#ifndef NO_WIPE_AT_OPEN
    if
    :: has_tail ->
        atomic {
            i = my.count;
            do
            :: i == SLOTS -> break
            :: else -> if :: cache[i] != NOTHING -> write(i, NOTHING) :: else fi; i++
            od;
            i = 0;
            has_tail = false
        }
#ifndef NO_WIPE_SYNC_AT_OPEN
        sync_journal();
        if :: !succeeded -> goto again :: else fi
#endif
    :: else
    fi;
#endif
    if
    :: my.durable < my.count ->
#ifndef NO_SYNC_AT_OPEN
#ifndef TRUST_THE_PAGE_CACHE
        d_step {
            i = my.durable;
            do :: i < my.count -> dirty[i] = true; i++ :: else -> break od;
            i = 0
        }
#endif
        sync_journal();
        if :: !succeeded -> goto again :: else fi;
#endif
        my.durable = my.count
    :: else
    fi
}

/* A version that nobody can see or remember. */
inline draw_version() {
    d_step {
        seen = WITH(WITH(WITH(WITH(0, NOTHING), view_version), handles[0].last), handles[1].last);
        do
        :: i == SLOTS -> break
        :: else ->
            if :: IS_RECORD(cache[i]) -> seen = WITH(seen, cache[i]) :: else fi;
            if :: IS_RECORD(disk[i]) -> seen = WITH(seen, disk[i]) :: else fi;
            i++
        od;
        version = NOTHING;
        i = VERSIONS;
        do
        :: i == 0 -> break
        :: else ->
            i--;
            if
            :: !HAS(seen, i) ->
                records[i].kind = 0; records[i].request = 0; records[i].before = NOTHING; records[i].durable = 0;
                version = i
            :: else
            fi
        od;
        assert(version != NOTHING);
        denied = WITHOUT(denied, version);
        forget()
    }
}

/* The rules. A request that has happened is answered with what happened. */
inline decide() {
    d_step {
        version = NOTHING;
#ifndef NO_REQUEST_CHECK
        each = my.last;
        do
        :: each == NOTHING || job != BUY -> break
        :: else ->
            if :: records[each].request == request -> version = each :: else fi;
            each = records[each].before
        od;
#endif
        fold(my.last);
        if
        :: version != NOTHING -> decision = REPEAT
        :: version == NOTHING && job == BUY -> decision = (cash >= 6 -> ACCEPT : REFUSE)
        :: version == NOTHING && job == EXECUTE -> decision = (cash >= 4 && queued -> ACCEPT : REFUSE)
        :: version == NOTHING && job == UNQUEUE -> decision = (queued -> ACCEPT : REFUSE)
        fi;
        forget()
    }
}

proctype trader(bit me) provided ((!killed[0] && !killed[1]) || killed[me]) {
    byte todo = 1 << BUY | 1 << EXECUTE, request, job, decision, version;
    bool succeeded, has_tail;

#ifdef QUEUE_IN_TWO_COMMITS
    todo = WITH(todo, UNQUEUE);
#endif
    /* A request of its own, or the other's once more. */
#ifdef REQUESTS_DIFFER
    request = 1 + me;
#else
    if :: request = 1 :: request = 1 + me fi;
#endif

again:
    {
        /* Whatever it was, it begins anew. */
        d_step { restart() }
        if :: todo == 0 -> goto done :: else fi;
        atomic { lock == FREE -> lock = me; my.is_open = true; catch_up() }
        recover();
        atomic { view_count = my.count; view_version = my.last; view_durable = my.durable; lock = FREE; check() }

next:
        atomic {
            if
            :: HAS(todo, BUY) -> job = BUY
            :: HAS(todo, EXECUTE) -> job = EXECUTE
            :: HAS(todo, UNQUEUE) && !HAS(todo, EXECUTE) -> job = UNQUEUE
            :: todo == 0 -> goto again
            fi
        }
#if defined(RELOAD_BEFORE_LOCK) || defined(NO_REVALIDATION)
        atomic { catch_up(); decide() }
#endif
        /* 1. Lock, 2. catch up. */
        atomic { lock == FREE -> lock = me; catch_up() }
        if
        :: my.count < SLOTS && cache[my.count] != NOTHING -> recover()
        :: else
        fi;
        /* 3. Decide. */
#if defined(NO_REVALIDATION)
        if :: job == BUY -> decide() :: else fi;
#elif !defined(RELOAD_BEFORE_LOCK)
        decide()
#endif
        if
        :: decision == REFUSE -> lock = FREE; goto finished
        :: decision == REPEAT -> goto unlock
        :: decision == ACCEPT
        fi;
#ifdef UNLOCK_BEFORE_APPEND
        lock = FREE;
#endif
        /* 5. Append. */
        atomic {
            draw_version();
            d_step {
                records[version].kind = job;
                records[version].request = (job == BUY -> request : 0);
                records[version].before = my.last;
                records[version].durable = my.durable
            }
            if
            :: write(my.count, version); succeeded = true
            :: CAN_FAIL -> mishaps--; write(my.count, TORN); succeeded = false
            fi
        }
        /* 6. Publish. */
        atomic {
            if
            :: succeeded -> view_count = my.count + 1; view_version = version; view_durable = my.durable; check()
            :: succeeded && CAN_FAIL -> mishaps--; succeeded = false
            :: !succeeded
            fi
        }
        if
        :: succeeded -> atomic { my.count++; my.last = version }
        :: else ->
            /* Undo it while nobody else can write. */
#ifndef NO_WIPE
            atomic { write(my.count, NOTHING); succeeded = true }
#ifndef NO_WIPE_SYNC
            sync_journal();
            if :: !succeeded -> goto again :: else fi;
#endif
#endif
            atomic { denied = WITH(denied, version); lock = FREE; goto finished }
        fi;
unlock: /* 7. Unlock. */
        if :: lock == me -> lock = FREE :: else fi;

        /* 8. Sync; only then acknowledge. */
#ifdef DURABLE_BEFORE_SYNC
        my.durable = my.count;
#endif
#ifdef ACKNOWLEDGE_BEFORE_SYNC
        acknowledged = WITH(acknowledged, version);
#endif
        if
        :: my.durable >= my.count
#ifdef NO_SYNC_BEFORE_REPEAT
        :: my.durable < my.count && decision == REPEAT
        :: my.durable < my.count && decision == ACCEPT ->
#else
        :: my.durable < my.count ->
#endif
            sync_journal();
#ifdef RETRY_SYNC
            if :: !succeeded -> sync_journal() :: else fi;
#endif
            if :: !succeeded -> goto again :: else fi;
            my.durable = my.count
        fi;
        acknowledged = WITH(acknowledged, version);
finished:
        atomic { todo = WITHOUT(todo, job); job = 0; decision = 0; version = NOTHING; succeeded = false; goto next }
done:   skip
    } unless { d_step { killed[me] -> killed[me] = false; restart() } goto again }
}

/* What happens to processes and machines, as often as there is some left of each. */
proctype world() provided (!killed[0] && !killed[1]) {
    byte victim;
    do
    :: atomic {
            CAN_KILL && (handles[0].is_open || handles[1].is_open) -> mishaps--;
            if :: handles[0].is_open -> victim = 0 :: handles[1].is_open -> victim = 1 fi;
            if :: lock == victim -> lock = FREE :: else fi;
            d_step { killed[victim] = true; victim = 0 }
        }
    :: atomic {
            mishaps > 0 -> mishaps--;
            write_some_back();
            if
            :: true
            :: d_step { view_count = 0; view_version = NOTHING; view_durable = 0 }
            fi;
            d_step {
                do :: i == SLOTS -> break :: else -> cache[i] = disk[i]; i++ od;
                i = 0;
                lock = FREE
            }
            check();
            d_step { killed[0] = handles[0].is_open; killed[1] = handles[1].is_open }
        }
    :: atomic {
            CAN_LOSE_SYNC -> mishaps--;
            write_some_back();
            handles[0].lost_sync = handles[0].is_open;
            handles[1].lost_sync = handles[1].is_open
        }
    :: break
    od
}

init { atomic { run trader(0); run trader(1); run world() } }

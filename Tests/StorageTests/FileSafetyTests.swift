import Ledger
import PaperTrade
import Testing

@testable import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An account on the real file system, where other people can put anything.
@Suite struct `An account directory` {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private var account: String { directory.path("account") }

    private func open(_ path: String? = nil, isReadOnly: Bool = false) throws -> Account {
        var options = Options()
        options.lockTimeoutMilliseconds = 0
        options.isReadOnly = isReadOnly
        return try Account(path ?? account, options: options)
    }

    private func status(of body: () throws -> Void) -> Status? {
        do {
            try body()
            return .ok
        } catch { return (error as? PaperTradeError)?.status }
    }

    private func names() -> [String] {
        let system = SystemCalls()
        guard let file = try? system.openDirectory(account, in: nil) else { return [] }
        defer { try? system.close(file) }
        return ((try? system.names(in: file)) ?? []).sorted()
    }

    /// What can stand in a file's place.
    private enum Impostor: CaseIterable {
        case symbolicLink, danglingLink, fifo, directory, hardLink
        /// These take root.
        case device, strangersFile

        /// Those that can be made here.
        static var possible: [Impostor] { allCases.filter { geteuid() == 0 || $0 != .device && $0 != .strangersFile } }

        /// Whether somebody who only reads is not in danger from it.
        var isReadable: Bool { self == .hardLink || self == .strangersFile }
    }

    private func plant(_ impostor: Impostor, as name: String) throws {
        let path = account + "/" + name
        // What was there is what the link leads to, so that following it would work.
        if rename(path, directory.path("victim")) != 0 { try directory.write(Array("{}".utf8), to: "victim") }
        let result =
            switch impostor {
            case .symbolicLink: symlink(directory.path("victim"), path)
            case .danglingLink: symlink(directory.path("nothing"), path)
            case .fifo: mkfifo(path, 0o600)
            case .directory: mkdir(path, 0o700)
            case .hardLink: link(directory.path("victim"), path)
            // The null device: what is written to it is gone.
            case .device: mknod(path, S_IFCHR | 0o600, 1 << 8 | 3)
            case .strangersFile: rename(directory.path("victim"), path) | chown(path, 65534, 65534)
            }
        #expect(result == 0)
    }

    @Test func `refuses whatever is not a regular file of its own, does not hang, and does not touch what a link leads to`()
        throws
    {
        for name in [AccountFile.journal, AccountFile.portfolio, AccountFile.lock, AccountFile.config] {
            for impostor in Impostor.possible {
                let fresh = try `An account directory`()
                try fresh.open().close()
                try fresh.plant(impostor, as: name)
                let before = fresh.directory.read("victim")
                let names = fresh.names()
                // Another owner does the lock file no harm.
                let expected: Status = name == AccountFile.lock && impostor == .strangersFile ? .ok : .unsafeFile
                let isHarmless = impostor.isReadable || name == AccountFile.lock
                #expect(
                    fresh.status { try fresh.open(isReadOnly: true).close() } == (isHarmless ? .ok : .unsafeFile),
                    "\(impostor) as \(name), read-only")
                let isRead = name == AccountFile.journal || name == AccountFile.portfolio
                #expect(
                    fresh.status { _ = try Account.verify(fresh.account) } == (isRead && !isHarmless ? .unsafeFile : .ok),
                    "\(impostor) as \(name), verify")
                #expect(fresh.directory.read("victim") == before && fresh.names() == names, "\(impostor) as \(name) was read")
                #expect(fresh.status { try fresh.open().close() } == expected, "\(impostor) as \(name)")
                if expected != .ok {
                    #expect(fresh.directory.read("victim") == before && fresh.names() == names, "\(impostor) as \(name)")
                }
                #expect(fresh.directory.read("nothing") == nil, "made through a link")
            }
        }
    }

    @Test func `gets rid of what stands in the place of portfolio.json's successor, and refuses it in that of the next journal`()
        throws
    {
        // After an interrupted reset the old journal stands where the next one goes: what is there has to be read.
        let table: [(name: String, refused: Set<Impostor>)] = [
            (AccountFile.portfolioTemporary, []), (AccountFile.nextJournal, Set(Impostor.allCases)),
        ]
        for (name, refused) in table {
            for impostor in Impostor.possible {
                let fresh = try `An account directory`()
                try fresh.open().close()
                try fresh.plant(impostor, as: name)
                let before = fresh.directory.read("victim")
                let found = fresh.status {
                    let account = try fresh.open()
                    try account.deposit(Money(clamping: 1))
                    try account.reset()
                    account.close()
                }
                #expect(found == (refused.contains(impostor) ? .unsafeFile : .ok), "\(impostor) as \(name)")
                #expect(fresh.directory.read("victim") == before)
                #expect(fresh.directory.read("nothing") == nil, "made through a link")
            }
        }
    }

    @Test func `trades on beside a sealed journal that is not a regular file of its own, but does not read it`() throws {
        for impostor in Impostor.possible {
            let fresh = try `An account directory`()
            let account = try fresh.open()
            try account.reset()
            account.close()
            let name = AccountFile.sealedJournal(1)
            try fresh.plant(impostor, as: name)
            let (before, names) = (fresh.directory.read("victim"), fresh.names())
            let opened = try fresh.open()
            #expect(try opened.deposit(Money(clamping: 1)).seq == 5)
            #expect(fresh.status { try opened.history { _ in true } } == .unsafeFile, "\(impostor)")
            #expect(fresh.status { try opened.backUp(to: fresh.directory.path("backup")) } == .unsafeFile, "\(impostor)")
            #expect(fresh.directory.read("backup/" + AccountFile.journal) == nil, "half a backup")
            opened.close()
            let isProved = (try? Account.verify(fresh.account))?.problems.isEmpty ?? false
            #expect(isProved == impostor.isReadable, "\(impostor)")
            #expect(fresh.directory.read("victim") == before && fresh.names() == names, "\(impostor)")
            #expect(fresh.directory.read("nothing") == nil, "made through a link")
        }
    }

    @Test func `may itself be reached through a link`() throws {
        try open().close()
        #expect(symlink(account, directory.path("link")) == 0)
        try open(directory.path("link")).deposit(Money(clamping: 1))
        #expect(try open(account + "//").summary().seq == 3)
    }

    @Test func `that everybody may write is refused, one that the group may write is not`() throws {
        try open().close()
        chmod(account, 0o777)
        #expect(status { try open().close() } == .unsafeFile)
        #expect(status { try open(isReadOnly: true).close() } == .ok)
        chmod(account, 0o770)
        #expect(status { try open().close() } == .ok)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
    func `of another user, or with files of another user, is refused`() throws {
        for name in ["", "/" + AccountFile.journal, "/" + AccountFile.portfolio] {
            let fresh = try `An account directory`()
            try fresh.open().close()
            #expect(chown(fresh.account + name, 1, 1) == 0)
            #expect(fresh.status { try fresh.open().close() } == .unsafeFile, "\(name)")
            #expect(fresh.status { try fresh.open(isReadOnly: true).close() } == .ok, "\(name)")
        }
    }

    @Test func `whose portfolio has no write bits refuses every change, also to root, and changes nothing`() throws {
        let account = try open()
        let before = try account.deposit(Money(clamping: 1))
        chmod(self.account + "/" + AccountFile.portfolio, 0o444)
        let journal = directory.read("account/" + AccountFile.journal)
        #expect(status { try account.deposit(Money(clamping: 1)) } == .readOnly)
        #expect(status { try account.reset() } == .readOnly)
        #expect(status { try open().deposit(Money(clamping: 1)) } == .readOnly)
        #expect(try account.summary().cash == before.cashAfter)
        #expect(directory.read("account/" + AccountFile.journal) == journal)
        #expect(try directory.status("account/" + AccountFile.portfolio).permissions == 0o444)
        #expect(names().filter { $0.hasSuffix(".tmp") }.isEmpty)
        chmod(self.account + "/" + AccountFile.portfolio, 0o644)
        #expect(try account.deposit(Money(clamping: 1)).seq == 4)
    }

    @Test func `keeps the mode and the group that its portfolio was given, and its own files private`() throws {
        let account = try open()
        #expect(try directory.status("account").permissions == 0o700)
        for name in [AccountFile.journal, AccountFile.portfolio, AccountFile.lock] {
            #expect(try directory.status("account/" + name).permissions == 0o600, "\(name)")
        }
        for mode: UInt32 in [0o640, 0o664, 0o604, 0o600] {
            chmod(self.account + "/" + AccountFile.portfolio, mode_t(mode))
            if geteuid() == 0 { #expect(chown(self.account + "/" + AccountFile.portfolio, 0, 7) == 0) }
            try account.deposit(Money(clamping: 1))
            let status = try directory.status("account/" + AccountFile.portfolio)
            #expect(status.permissions == mode)
            if geteuid() == 0 { #expect(status.group == 7) }
        }
    }

    @Test func `that is moved, deleted or replaced under an open account is noticed before anything is written`() throws {
        for change in 0..<4 {
            let fresh = try `An account directory`()
            let account = try fresh.open()
            try account.deposit(Money(clamping: 1))
            let journal = fresh.account + "/" + AccountFile.journal
            switch change {
            case 0: #expect(rename(fresh.account, fresh.directory.path("moved")) == 0)
            case 1:
                #expect(rename(fresh.account, fresh.directory.path("moved")) == 0)
                try fresh.open().close()
            case 2: #expect(unlink(journal) == 0)
            default:
                try fresh.directory.write(fresh.directory.read("account/" + AccountFile.journal) ?? [], to: "copy")
                #expect(rename(fresh.directory.path("copy"), journal) == 0)
            }
            let found = fresh.status { try account.deposit(Money(clamping: 1)) }
            #expect(found == (change == 2 ? .missingData : .replaced), "change \(change)")
        }
    }
}

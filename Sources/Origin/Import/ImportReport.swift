import Synchronization

/// What an import has done so far; refusals are told as they happen.
final class ImportReport: Sendable {
    struct Tally: Hashable, Sendable {
        var versions = 0
        var crates = 0
        /// Of imported versions' files.
        var bytes = 0
        var present = 0
        var refused = 0
        var cratesDone = 0

        var versionsDone: Int { versions + present + refused }
    }

    private let tally = Mutex(Tally())
    private let tell: @Sendable (ImportRefusal) -> Void

    init(tell: @escaping @Sendable (ImportRefusal) -> Void) { self.tell = tell }

    var current: Tally { tally.withLock { $0 } }

    func refused(_ refusal: ImportRefusal) {
        tally.withLock { $0.refused += 1 }
        tell(refusal)
    }

    func present() { tally.withLock { $0.present += 1 } }

    func fetched(bytes: Int) { tally.withLock { $0.bytes += bytes } }

    func imported(_ outcome: ImportStore.Outcome) {
        tally.withLock {
            $0.versions += outcome.added
            $0.crates += outcome.crates
            $0.present += outcome.present
        }
    }

    func cratesDone(_ count: Int) { tally.withLock { $0.cratesDone += count } }
}

extension ImportReport.Tally {
    /// `imported 151 versions of 147 crates (11.2 MB) in 4.2 s; 0 were there already, 0 refused`
    func summary(seconds: Double) -> String {
        "imported \(Amount.of(versions, "version")) of \(Amount.of(crates, "crate")) (\(Amount.bytes(bytes))) in "
            + "\(Amount.decimal(seconds)) s; \(present) \(present == 1 ? "was" : "were") there already, "
            + "\(refused) refused"
    }
}

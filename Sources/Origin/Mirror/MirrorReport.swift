import Synchronization

/// What a mirror run has done so far; what is missing is told as it happens.
final class MirrorReport: Sendable {
    struct Tally: Hashable, Sendable {
        /// Crates whose index file was looked at.
        var crates = 0
        /// Versions that were chosen.
        var versions = 0
        var fetched = 0
        /// Of fetched files.
        var bytes = 0
        var present = 0
        /// Versions that were published or imported here.
        var own = 0
        /// Versions and crates that were wanted and are not here.
        var missing = 0
    }

    private let tally = Mutex(Tally())
    private let tell: @Sendable (String) -> Void

    init(tell: @escaping @Sendable (String) -> Void) { self.tell = tell }

    var current: Tally { tally.withLock { $0 } }

    func note(_ change: (inout Tally) -> Void) { tally.withLock { change(&$0) } }

    /// - Parameter what: a version, or what stands for it.
    func missing(_ crate: String, _ what: String, _ cause: String) {
        note { $0.missing += 1 }
        tell("missing \(crate) \(what): \(cause)")
    }
}

extension MirrorReport.Tally {
    /// `mirrored 151 versions of 147 crates in 4.2 s: 120 fetched (11.2 MB), 31 were there already, 0 of our own; 0 missing`
    func summary(seconds: Double) -> String {
        "mirrored \(Amount.of(versions, "version")) of \(Amount.of(crates, "crate")) in \(Amount.decimal(seconds)) s: "
            + "\(fetched) fetched (\(Amount.bytes(bytes))), \(present) \(present == 1 ? "was" : "were") there already, "
            + "\(own) of our own; \(missing) missing"
    }
}

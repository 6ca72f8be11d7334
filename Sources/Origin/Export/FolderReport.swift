import Synchronization

/// What an export has done so far; faults are told as they happen.
final class FolderReport: Sendable {
    struct Tally: Hashable, Sendable {
        var crates = 0
        var written = 0
        /// Of written crate files.
        var bytes = 0
        var present = 0
        /// Versions of upstreams whose file was never fetched.
        var leftOut = 0
        var withheld = 0
        var faults = 0
        var cratesDone = 0
    }

    private let tally = Mutex(Tally())
    private let tell: @Sendable (String) -> Void

    init(tell: @escaping @Sendable (String) -> Void) { self.tell = tell }

    var current: Tally { tally.withLock { $0 } }

    func note(_ change: (inout Tally) -> Void) { tally.withLock { change(&$0) } }

    func withheld(_ place: String, _ refusal: String) {
        note { $0.withheld += 1 }
        tell("left out \(place): \(refusal)")
    }

    func fault(_ place: String, _ cause: String) {
        note { $0.faults += 1 }
        tell("left out \(place): \(cause)")
    }
}

extension FolderReport.Tally {
    /// `exported 151 versions of 147 crates in 1.2 s: 140 written (11.2 MB), 11 were there already; 3 left out (never fetched), 0 by policy, 0 faults`
    func summary(seconds: Double) -> String {
        "exported \(Amount.of(written + present, "version")) of \(Amount.of(crates, "crate")) in "
            + "\(Amount.decimal(seconds)) s: \(written) written (\(Amount.bytes(bytes))), \(present) "
            + "\(present == 1 ? "was" : "were") there already; \(leftOut) left out (never fetched), "
            + "\(withheld) by policy, \(Amount.of(faults, "fault"))"
    }
}

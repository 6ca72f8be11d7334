import Synchronization

/// What was looked at and what was wrong.
struct VerifyTally: Sendable, Encodable {
    var repositories = 0
    var crates = 0
    var versions = 0
    /// Of the blobs that were read and hashed.
    var bytesRead = 0
    var problems = 0
    /// Nil if they were not counted: they belong to no repository.
    var orphanBlobs: Int?
    var unfinishedUploads: Int?
    var feedPosition: UInt64?

    /// `verified 151 versions of 147 crates (11.2 MB) in 0.9 s: no problem; 0 orphan blobs, 0 unfinished uploads`
    func summary(seconds: Double) -> String {
        let verdict =
            problems == 0 ? "no problem" : Amount.of(problems, "problem")
        var text =
            "verified \(Amount.of(versions, "version")) of \(Amount.of(crates, "crate")) (\(Amount.bytes(bytesRead)) "
            + "read) in \(Amount.decimal(seconds)) s: \(verdict)"
        if let orphanBlobs, let unfinishedUploads {
            text +=
                "; \(Amount.of(orphanBlobs, "orphan blob")), \(Amount.of(unfinishedUploads, "unfinished upload"))"
        }
        return text
    }
}

/// Gathers what a verification finds; problems are told as they are found.
final class VerifyReport: Sendable {
    private let tally = Mutex(VerifyTally())
    private let tell: @Sendable (VerifyProblem) -> Void

    init(tell: @escaping @Sendable (VerifyProblem) -> Void) { self.tell = tell }

    var current: VerifyTally { tally.withLock { $0 } }

    func found(_ problem: VerifyProblem) {
        tally.withLock { $0.problems += 1 }
        tell(problem)
    }

    func note(_ change: (inout VerifyTally) -> Void) { tally.withLock { change(&$0) } }
}

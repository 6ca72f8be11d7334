/// Walks a chain line by line and says what is wrong with it; pure.
///
/// It finds every change, gap and swap within what it is shown, and an end that is not where it should be. Whoever can
/// rewrite a line can also write all hashes behind it anew: only a checkpoint that lies elsewhere finds that.
struct AuditChain: Sendable {
    /// What was found, for the person who ran the command.
    enum Problem: Hashable, Sendable {
        /// The line's own hash does not fit its content.
        case changed(seq: Int64)
        /// Numbers are missing before this line, or come twice.
        case gap(after: Int64, next: Int64)
        /// The line names another hash as that of the line before it.
        case broken(seq: Int64)
        /// The chain ends at `found`, and its head says `head`.
        case end(found: Int64, head: Int64)
        /// The head's hash is not that of the last line.
        case head(seq: Int64)
        /// A checkpoint says that this line had another hash.
        case rewritten(seq: Int64)
        /// A checkpoint speaks of a line that is not there.
        case truncated(checkpoint: Int64, end: Int64)
        /// A checkpoint's signature is not that of the key.
        case badSignature(String)
        /// Lines are gone from the front, and no signed archive accounts for them.
        case frontMissing(first: Int64)
        /// Downloads that were sealed are not what they were, or gone before their time.
        case downloads(seq: Int64, String)
    }

    /// A place in the chain that is known to be right.
    struct Place: Hashable, Sendable {
        var seq: Int64
        var hash: String

        static let start = Place(seq: 0, hash: AuditLine.zeroHash)
    }

    private(set) var last: Place
    private(set) var problems: [Problem] = []
    /// More are counted, not kept.
    private static let problemsMax = 1000
    private(set) var problemCount = 0
    private(set) var lines = 0
    /// What was signed, by number.
    private let signed: [Int64: Set<String>]

    /// - Parameter checkpoints: whose signatures are good.
    init(checkpoints: [AuditCheckpoint] = []) {
        last = .start
        signed = Dictionary(checkpoints.map { ($0.seq, [$0.hash]) }) { $0.union($1) }
    }

    /// Goes on from a place that something else vouches for.
    mutating func resume(at place: Place) { last = place }

    mutating func follow(_ line: AuditLine) {
        lines += 1
        if let hashes = signed[line.seq], hashes != [line.hash] { note(.rewritten(seq: line.seq)) }
        if line.seq != last.seq + 1 {
            note(.gap(after: last.seq, next: line.seq))
        } else if line.prev != last.hash {
            note(.broken(seq: line.seq))
        }
        if line.hash != line.expectedHash { note(.changed(seq: line.seq)) }
        // Goes on from what the line says, so that one change is one problem and not all that follow.
        last = Place(seq: line.seq, hash: line.hash)
    }

    /// Holds the end against the head's word.
    mutating func end(at head: Place) {
        if last.seq != head.seq {
            note(.end(found: last.seq, head: head.seq))
        } else if last.hash != head.hash {
            note(.head(seq: head.seq))
        }
        for checkpoint in signed.keys.sorted() where checkpoint > last.seq {
            note(.truncated(checkpoint: checkpoint, end: last.seq))
        }
    }

    mutating func note(_ problem: Problem) {
        problemCount += 1
        if problems.count < Self.problemsMax { problems.append(problem) }
    }
}

extension AuditChain.Problem: CustomStringConvertible {
    var description: String {
        switch self {
        case .changed(let seq): "line \(seq) was changed: its content does not give its hash"
        case .gap(let after, let next):
            next > after
                ? "lines \(after + 1) to \(next - 1) are missing" : "line \(next) stands after line \(after)"
        case .broken(let seq): "line \(seq) does not follow line \(seq - 1): it names another hash"
        case .end(let found, let head): "the chain ends at line \(found), but \(head) lines were written"
        case .head(let seq): "the head names another hash than that of the last line, \(seq)"
        case .rewritten(let seq): "line \(seq) is not the one that a checkpoint signed: the chain was written anew"
        case .truncated(let checkpoint, let end):
            "a checkpoint signed line \(checkpoint), but the chain ends at \(end): the end was cut off"
        case .badSignature(let what): "\(what)"
        case .frontMissing(let first):
            "the chain begins at line \(first), and no signed archive accounts for the lines before it"
        case .downloads(let seq, let what): "the downloads that line \(seq) sealed \(what)"
        }
    }
}

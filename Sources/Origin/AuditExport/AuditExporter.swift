import FoundationEssentials
import Postgres

/// Sends the log, line by line and in order, to a place outside; each line at least once.
///
/// The cursor moves only when a batch has arrived. Whoever is killed between the two sends that batch again: `seq` tells
/// the receiver which lines it has.
struct AuditExporter: Sendable {
    let trail: AuditTrail
    let cursors: ExportCursors
    let name: String
    let format: ExportFormat
    let sink: ExportSink
    /// Tells replicas and commands apart.
    let holder: String
    /// Where a new export begins.
    var beginsAfter: Int64 = 0

    /// What one step came to.
    enum Step: Hashable, Sendable {
        case sent(Int)
        case nothingNew
        /// Another replica or command is at it.
        case heldByOther
    }

    /// Sends one batch.
    ///
    /// - Throws: `ExportSink.Problem` if it did not arrive; the cursor stands where it stood.
    func step() async throws -> Step {
        guard let seq = try await cursors.hold(name, as: holder, beginningAfter: beginsAfter) else {
            return .heldByOther
        }
        let batch = try await batch(after: seq)
        guard batch.count > 0 else { return .nothingNew }
        try await sink.send(batch)
        try await cursors.advance(name, as: holder, to: batch.lastSeq)
        return .sent(batch.count)
    }

    private func batch(after seq: Int64) async throws -> ExportBatch {
        var batch = ExportBatch()
        for line in try await trail.lines(after: seq, upTo: .max, limit: ExportBatch.linesMax) {
            guard batch.add(try format.text(line), seq: line.seq) else { break }
        }
        return batch
    }

    private static let attemptsMax = 5

    /// Sends all that there is; what the other side refuses for now is tried again, five times in a row at most.
    ///
    /// A new export that got no line across leaves nothing behind: a cursor that nobody moves would hold archives up.
    /// - Parameter told: hears of what is tried again.
    /// - Returns: how many lines went.
    func run(told: (String) -> Void = { _ in }) async throws -> Int {
        let isNew = try await cursors.list().allSatisfy { $0.name != name }
        do {
            return try await sendAll(told)
        } catch {
            // Whoever stops the command must not stop this, too.
            try await Task { try await cursors.letGo(name, holder: holder, unsentAt: isNew ? beginsAfter : nil) }.value
            throw error
        }
    }

    private func sendAll(_ told: (String) -> Void) async throws -> Int {
        var sent = 0
        var attempt = 0
        while true {
            do {
                switch try await step() {
                case .sent(let count): (sent, attempt) = (sent + count, 0)
                case .nothingNew:
                    try await cursors.release(name, holder: holder)
                    return sent
                case .heldByOther:
                    throw ExportSink.Problem(
                        description:
                            "another program is at the export `\(name)`; wait two minutes, or choose another name")
                }
            } catch let problem as ExportSink.Problem where problem.retryCanHelp && attempt < Self.attemptsMax {
                try Task.checkCancellation()
                attempt += 1
                let pause = problem.pause ?? 1 << attempt
                told("\(problem.description); tried again in \(pause) s (\(attempt) of \(Self.attemptsMax))")
                try await Task.sleep(for: .seconds(pause))
            }
        }
    }
}

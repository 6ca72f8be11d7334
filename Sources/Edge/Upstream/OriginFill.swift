import EdgeCache
import Hosting
import Logging
import Metrics
import NIOCore
import Registry

/// Asks the origin for closures and hands what comes to the cache, file by file.
///
/// A question is asked in parts, each over a connection of its own: see `ClosurePart`.
struct OriginFill: Sendable {
    /// With the 14 KB that a fresh connection sends at once, the parts bring many closures in one round trip, nearly all in two.
    private static let partsMaxCold = 32
    /// An edge that holds more than a handful of files lacks little of a closure.
    private static let partsMaxWarm = 8
    private static let heldMaxCold = 32

    let client: OriginClient
    let responses: Responses
    let logger: Logger
    var questionNumber: @Sendable () -> UInt64 = { .random(in: 0 ... .max) }

    /// - Returns: why nothing more came; nil if all came.
    func callAsFunction(_ ticket: FillTicket, into desk: CacheDesk) async -> FillFailure? {
        let begun = ContinuousClock.now
        let parts = parts(of: ticket)
        let run = FillRun(ticket: ticket, desk: desk, responses: responses, parts: parts.count)
        do {
            try await ask(parts, run)
            Metric.originRequestSeconds.timer(["kind": "closure"]).record(duration: ContinuousClock.now - begun)
            Metric.originRequests.counter(["kind": "closure", "result": "answered"]).increment()
            return nil
        } catch {
            let failure = Self.failure(error, hasList: run.hasBegun)
            Metric.originRequests.counter(["kind": "closure", "result": "failed"]).increment()
            logger.log(
                level: failure == .unknown ? .notice : .warning,
                "no closure from the origin: its files are asked for one by one",
                metadata: ["repository": "\(ticket.repository)", "error": "\(error)"])
            return failure
        }
    }

    /// - Parameter hasList: the answer began as a closure, so the origin knows such questions.
    static func failure(_ error: any Error, hasList: Bool) -> FillFailure {
        switch (error as? UpstreamError)?.fault {
        case .unreachable: .unreachable
        // Also what an origin from before closures says: a 404 without a position.
        case .protocolBroken where !hasList: .unknown
        default: .refused
        }
    }

    /// In how many parts an edge asks that holds so many files.
    static func partsMax(held: Int) -> Int { held > heldMaxCold ? partsMaxWarm : partsMaxCold }

    private func parts(of ticket: FillTicket) -> [ClosurePart] {
        let count = min(Self.partsMax(held: ticket.held.count), client.closurePartsMax)
        let number = questionNumber()
        return (0..<count).map { ClosurePart(question: number, index: $0, count: count) }
    }

    private func ask(_ parts: [ClosurePart], _ run: FillRun) async throws {
        let ticket = run.ticket
        let question = ClosureQuestion(
            roots: ticket.roots.compactMap(Self.indexPath),
            held: ticket.held.compactMap { held in Self.indexPath(held.key).map { HeldMark($0, held.tag) } })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in parts {
                group.addTask { try await ask(part, of: question, run) }
            }
            try await group.waitForAll()
        }
    }

    private func ask(_ part: ClosurePart, of question: ClosureQuestion, _ run: FillRun) async throws {
        var reader: ClosureReader?
        let answer = try await client.closure(of: run.ticket.repository, question, part) { position, isPacked, chunk in
            var reading = reader ?? ClosureReader(isPacked: isPacked)
            for part in try reading.read(chunk) { try run.take(part, position) }
            reader = reading
        }
        guard answer.status == 200 else {
            throw UpstreamError(fault: .protocolBroken, detail: "status \(answer.status) for a closure")
        }
        try (reader ?? ClosureReader()).finish()
    }

    private static func indexPath(_ key: CacheKey) -> IndexPath? { EdgePath.index(String(buffer: key.bytes))?.1 }
}

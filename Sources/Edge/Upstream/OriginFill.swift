import EdgeCache
import Hosting
import Logging
import Metrics
import NIOCore
import Registry

/// Asks the origin for closures and hands what comes to the cache, file by file.
struct OriginFill: Sendable {
    let client: OriginClient
    let responses: Responses
    let logger: Logger

    /// - Returns: why nothing more came; nil if all came.
    func callAsFunction(_ ticket: FillTicket, into desk: CacheDesk) async -> FillFailure? {
        let begun = ContinuousClock.now
        var hasList = false
        do {
            try await read(ticket, into: desk, &hasList)
            Metric.originRequestSeconds.timer(["kind": "closure"]).record(duration: ContinuousClock.now - begun)
            Metric.originRequests.counter(["kind": "closure", "result": "answered"]).increment()
            return nil
        } catch {
            let failure = Self.failure(error, hasList: hasList)
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

    private func read(_ ticket: FillTicket, into desk: CacheDesk, _ hasList: inout Bool) async throws {
        let question = ClosureQuestion(
            roots: ticket.roots.compactMap(Self.indexPath),
            held: ticket.held.compactMap { held in Self.indexPath(held.key).map { HeldMark($0, held.tag) } })
        var reader = ClosureReader()
        let answer = try await client.closure(of: ticket.repository, question) { position, chunk in
            for part in try reader.read(chunk) {
                if case .list = part { hasList = true }
                try take(part, ticket, position, into: desk)
            }
        }
        guard answer.status == 200 else {
            throw UpstreamError(fault: .protocolBroken, detail: "status \(answer.status) for a closure")
        }
        try reader.finish()
    }

    private func take(
        _ part: ClosureReader.Part, _ ticket: FillTicket, _ position: UInt64, into desk: CacheDesk
    ) throws {
        switch part {
        case .list(let list):
            let items = list.items.map { item in FillItem(.index(ticket.repository, item.path), item.state.cached) }
            count(desk.announced(ticket, items, position: position))
        case .file(let path, let tag, let body):
            guard Checksum(of: body) == tag.checksum else {
                throw UpstreamError(fault: .protocolBroken, detail: "an index file that does not fit its ETag")
            }
            Metric.fillBytes.counter().increment(by: body.readableBytes)
            // Compressed when somebody asks for it: most of these are never asked for by most clients.
            let page = IndexPage(uncompressed: body, tag, responses)
            let isWanted = desk.filled(ticket.id, .index(ticket.repository, path), page.value)
            Metric.fillFiles.counter(["result": isWanted ? "came" : "unwanted"]).increment()
        }
    }

    private func count(_ figures: FillFigures) {
        for (result, count) in [
            ("absent", figures.absent), ("held", figures.held), ("overtaken", figures.overtaken),
        ] where count > 0 {
            Metric.fillFiles.counter(["result": result]).increment(by: count)
        }
    }

    private static func indexPath(_ key: CacheKey) -> IndexPath? { EdgePath.index(String(buffer: key.bytes))?.1 }
}

extension ClosureList.State {
    fileprivate var cached: FillItem.State {
        switch self {
        case .absent: .absent
        case .same(let tag): .same(tag)
        case .file(let tag, _): .file(tag)
        }
    }
}

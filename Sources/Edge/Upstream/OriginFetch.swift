import CoreMetrics
import EdgeCache
import EdgeHTTP
import FoundationEssentials
import Hosting
import Logging
import Metrics
import NIOCore
import NIOHTTP1
import Registry

/// Runs the fetches that the cache asks for, and turns the origin's answers into values.
struct OriginFetch: Sendable {
    let client: OriginClient
    let blobs: BlobFolder
    let responses: Responses
    let makeTable: @Sendable (RepositoryList) -> RepositoryTable
    let wallClock: @Sendable () -> Int
    let logger: Logger

    func callAsFunction(_ ticket: FetchTicket) async -> FetchAnswer {
        let begun = ContinuousClock.now
        let kind = "\(ticket.kind)"
        do {
            let answer = try await fetch(ticket)
            Metric.originRequestSeconds.timer(["kind": kind]).record(duration: ContinuousClock.now - begun)
            Metric.originRequests.counter(["kind": kind, "result": "answered"]).increment()
            return answer
        } catch {
            Metric.originRequests.counter(["kind": kind, "result": "failed"]).increment()
            let upstream = error as? UpstreamError
            let isOurs = upstream?.fault == .edge
            logger.log(
                level: isOurs ? .error : .warning,
                isOurs ? "this edge can't store what the origin sent" : "no usable answer from the origin",
                metadata: [
                    "about": "\(ticket.key)", "error": "\(error)",
                    "retry_can_help": "\(upstream?.retryCanHelp ?? true)",
                ])
            return .failed(isUnreachable: upstream?.isUnreachable ?? false, words: upstream?.words)
        }
    }

    private func fetch(_ ticket: FetchTicket) async throws -> FetchAnswer {
        switch ticket.kind {
        case .index: try await index(ticket)
        case .crate: try await crate(ticket)
        case .token: try await token(ticket)
        case .repositories: try await repositories()
        case .keys: try await keys()
        }
    }

    private func index(_ ticket: FetchTicket) async throws -> FetchAnswer {
        let path = String(buffer: ticket.key.bytes)
        guard let (repository, file) = EdgePath.index(path) else {
            preconditionFailure("only canonical paths are asked")
        }
        let answer = try await client.read(EdgeWire.index(repository, file), etag: ticket.known?.tag?.description)
        switch answer.status {
        case 304 where ticket.known != nil:
            return .same(position: answer.position)
        case 404:
            return .value(.absent(), position: answer.position)
        case 200:
            guard let tag = answer.headers.first(name: "etag").flatMap({ EntityTag(parsing: $0) }) else {
                throw UpstreamError(fault: .protocolBroken, detail: "an index file without an ETag of ours")
            }
            guard Checksum(of: answer.body) == tag.checksum else {
                throw UpstreamError(fault: .protocolBroken, detail: "an index file that does not fit its ETag")
            }
            return .value(IndexPage(answer.body, tag, responses).value, position: answer.position)
        default:
            throw UpstreamError(fault: .protocolBroken, detail: "status \(answer.status) for an index file")
        }
    }

    private func token(_ ticket: FetchTicket) async throws -> FetchAnswer {
        guard let hash = Checksum(bytes: ticket.key.bytes.readableBytesView.dropFirst()) else {
            preconditionFailure("a token's key ends with its hash")
        }
        let answer = try await client.introspect(hash)
        switch answer.status {
        case 404:
            return .value(.absent(group: .noToken), position: answer.position)
        case 200:
            let introspection = try decode(Introspection.self, answer)
            return .value(TokenVerdict(introspection).value, position: answer.position)
        default:
            throw UpstreamError(fault: .protocolBroken, detail: "status \(answer.status) for a token")
        }
    }

    private func repositories() async throws -> FetchAnswer {
        let answer = try await client.read(EdgeWire.repositoriesPath)
        guard answer.status == 200 else {
            throw UpstreamError(fault: .protocolBroken, detail: "status \(answer.status) for the repositories")
        }
        let table = makeTable(try decode(RepositoryList.self, answer))
        return .value(try table.value(), position: answer.position)
    }

    private func keys() async throws -> FetchAnswer {
        let answer = try await client.read(EdgeWire.keysPath)
        guard answer.status == 200, let ring = SigningRing(json: answer.body) else {
            throw UpstreamError(fault: .protocolBroken, detail: "status \(answer.status) for the signing keys")
        }
        return .value(ring.value, position: answer.position)
    }

    private func decode<Shape: Decodable>(_ shape: Shape.Type, _ answer: OriginAnswer) throws -> Shape {
        do {
            return try JSONDecoder().decode(shape, from: Data(answer.body.readableBytesView))
        } catch {
            throw UpstreamError(fault: .protocolBroken, detail: "\(error)")
        }
    }
}

package import Hummingbird
import NIOCore
import Registry

/// `POST /edge/v1/closure/{repository}`: index files together with what a resolver will ask next.
///
/// | situation                               | answer                                                          |
/// |-----------------------------------------|-----------------------------------------------------------------|
/// | a question of an edge                   | 200, `longshore-position`: `ClosureList`, then the files, streamed |
/// | a root is not in the repository         | 200: the list says so                                           |
/// | a part of a question (`ClosurePart`)    | 200: the list and the packed files of that part, of a wider closure |
/// | no question, or no part                 | 400                                                             |
/// | no such repository                      | 404 without a position, as for single files                     |
/// | an upstream can't tell of a root        | 503, `retry-after`; the edge asks file by file                  |
/// | too many at once                        | 503, `retry-after`; the edge asks file by file                  |
///
/// A stream that breaks off is a broken HTTP body; the edge keeps the files that were complete.
/// Source: docs/decisions/0007-closure-fill.md
package struct ClosureRoute: Sendable {
    let repositories: RepositoryStore
    let store: ClosureStore
    let upstreams: UpstreamDesk
    private let ahead: ClosureAhead
    private let places: ClosurePlaces
    private let shares: ClosureShares

    package init(repositories: RepositoryStore, store: ClosureStore, upstreams: UpstreamDesk) {
        self.upstreams = upstreams
        self.repositories = repositories
        self.store = store
        ahead = ClosureAhead(store: store, upstreams: upstreams)
        places = ClosurePlaces()
        shares = ClosureShares(places: places)
    }

    package func add(to router: some RouterMethods<OriginContext>) {
        router.post("/edge/v1/closure/:repository") { request, context in try await answer(request, context) }
    }

    private func answer(_ request: Request, _ context: OriginContext) async throws -> Response {
        let edge = try context.principal.requireEdge()
        let repository = try await repositories.named(in: context)
        let body = try await request.body.collect(upTo: ClosureQuestion.bytesMax)
        guard let question = ClosureQuestion(parsing: Array(body.readableBytesView)) else {
            throw Refusal.badRequest("the body is no `ClosureQuestion`")
        }
        if let text = request.headers[.longshoreClosurePart] {
            guard let part = ClosurePart(parsing: text) else {
                throw Refusal.badRequest("`\(EdgeWire.closurePartHeader)` is no `ClosurePart`")
            }
            return try await answer(part, of: question, in: repository, to: edge)
        }
        let place = try places.take()
        let isGathered = try await ahead.prepare(question, in: repository)
        let parts = read(question, in: repository, isGathered: isGathered)
        var first = parts.makeAsyncIterator()
        guard case .list(let list, let position, _) = try await first.next() else { throw ClosureStore.Broken() }
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/octet-stream", .cacheControl: "no-store",
                .longshorePosition: "\(position)",
            ],
            body: ResponseBody { writer in
                try await writer.write(ByteBuffer(bytes: list.bytes))
                for try await part in parts {
                    if case .text(let text) = part { try await writer.write(text) }
                }
                try await writer.finish(nil)
                withExtendedLifetime(place) {}
            })
    }

    private func answer(
        _ part: ClosurePart, of question: ClosureQuestion, in repository: Repository, to edge: EdgeHolder
    ) async throws -> Response {
        let key = ClosureShares.Key(
            edge: edge.edgeID, repository: repository.id, question: question, number: part.question, count: part.count)
        let sent = try await shares.part(part.index, of: key) { [self] hand in
            let isGathered = try await ahead.prepare(question, in: repository)
            try await ahead.read(question, in: repository, isPacked: true, isGathered: isGathered, hand)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/octet-stream", .cacheControl: "no-store",
                .longshorePosition: "\(sent.sending.position)", .longshoreClosurePart: "\(part)",
            ],
            body: Self.body(of: sent))
    }

    /// What needs no place while an edge takes it: a connection holds as much anyway.
    private static let smallBytesMax = 64 << 10

    private static func body(of part: ClosureShares.Part) -> ResponseBody {
        let (first, rest) = (part.sending.first, part.sending.rest)
        // In one piece it leaves together with the head, in one write.
        if rest == nil, first.readableBytes <= smallBytesMax { return ResponseBody(byteBuffer: first) }
        return ResponseBody { writer in
            try await writer.write(first)
            if let rest { for try await chunk in rest { try await writer.write(chunk) } }
            try await writer.finish(nil)
            withExtendedLifetime(part) {}
        }
    }

    private typealias Parts = AsyncThrowingStream<ClosureStore.Part, any Error>

    /// Reads ahead of the edge, within the limit of bytes that a closure has.
    private func read(_ question: ClosureQuestion, in repository: Repository, isGathered: Bool) -> Parts {
        let (parts, offer) = Parts.makeStream()
        let reading = Task {
            do {
                try await ahead.read(question, in: repository, isPacked: false, isGathered: isGathered) {
                    offer.yield($0)
                }
                offer.finish()
            } catch {
                offer.finish(throwing: error)
            }
        }
        offer.onTermination = { _ in reading.cancel() }
        return parts
    }
}

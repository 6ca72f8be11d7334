package import Hummingbird
import NIOCore
import Registry
import Synchronization

/// `POST /edge/v1/closure/{repository}`: index files together with what a resolver will ask next.
///
/// | situation                               | answer                                                          |
/// |-----------------------------------------|-----------------------------------------------------------------|
/// | a question of an edge                   | 200, `longshore-position`: `ClosureList`, then the files, streamed |
/// | a root is not in the repository         | 200: the list says so                                           |
/// | no question                             | 400                                                             |
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
    private let places = ClosurePlaces()

    package init(repositories: RepositoryStore, store: ClosureStore, upstreams: UpstreamDesk) {
        self.upstreams = upstreams
        self.repositories = repositories
        self.store = store
    }

    package func add(to router: some RouterMethods<OriginContext>) {
        router.post("/edge/v1/closure/:repository") { request, context in try await answer(request, context) }
    }

    private func answer(_ request: Request, _ context: OriginContext) async throws -> Response {
        _ = try context.principal.requireEdge()
        let repository = try await repositories.named(in: context)
        let body = try await request.body.collect(upTo: ClosureQuestion.bytesMax)
        guard let question = ClosureQuestion(parsing: Array(body.readableBytesView)) else {
            throw Refusal.badRequest("the body is no `ClosureQuestion`")
        }
        let place = try places.take()
        let roots = question.roots.compactMap { try? CrateName($0.name) }
        try await upstreams.prepare(roots, in: repository)
        let parts = read(question, in: repository)
        var first = parts.makeAsyncIterator()
        guard case .list(let list, let position) = try await first.next() else { throw ClosureStore.Broken() }
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

    private typealias Parts = AsyncThrowingStream<ClosureStore.Part, any Error>

    /// Reads ahead of the edge, within the limit of bytes that a closure has.
    private func read(_ question: ClosureQuestion, in repository: Repository) -> Parts {
        let (parts, offer) = Parts.makeStream()
        let reading = Task {
            do {
                try await store.read(question, in: repository) { offer.yield($0) }
                offer.finish()
            } catch {
                offer.finish(throwing: error)
            }
        }
        offer.onTermination = { _ in reading.cancel() }
        return parts
    }
}

/// How many closures may be under way at once. One that was read waits in memory until its edge has taken it, however slow
/// that is, so their number bounds what they take.
private final class ClosurePlaces: Sendable {
    private static let placesMax = 16

    private let taken = Mutex(0)

    /// A place is taken until nobody holds it any more: the answer, or the request if there came no answer.
    final class Place: Sendable {
        private let places: ClosurePlaces

        fileprivate init(_ places: ClosurePlaces) { self.places = places }

        deinit { places.taken.withLock { $0 -= 1 } }
    }

    func take() throws -> Place {
        try taken.withLock { taken in
            guard taken < Self.placesMax else {
                throw Refusal.unavailable("too many closures at once; ask file by file", retryAfter: 1)
            }
            taken += 1
        }
        return Place(self)
    }
}

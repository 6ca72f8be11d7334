import FoundationEssentials
package import Hummingbird
import CoreMetrics
import Hosting
import Logging
import NIOFoundationEssentialsCompat
import Registry

/// The access log's way in, and what can be read of it.
///
/// | request                                           | who                 | answer                                        |
/// |---------------------------------------------------|---------------------|-----------------------------------------------|
/// | `POST /edge/v1/access` with `AccessBatch`         | an edge             | `AccessBatch.Taken`; 413 over a limit         |
/// | `GET /{repository}/api/v1/crates/{name}/downloads?days=90` | a reader   | `ReadStore.CrateReads`                        |
/// | `GET /api/v1/pulls?repository=&crate=&version=&token=&edge=&before=&limit=` | admin of everything | `{"next":ID,"pulls":[…]}`, the latest first |
///
/// Source: docs/EVENTS.md, "The access log".
package struct DownloadRoutes: Sendable {
    let repositories: RepositoryStore
    let store: ReadStore

    static let daysDefault = 90
    static let daysMax = 366

    package init(repositories: RepositoryStore, store: ReadStore) {
        self.repositories = repositories
        self.store = store
    }

    /// Adds the slice's routes; each stands in `Route.all`.
    package func add(to router: some RouterMethods<OriginContext>) {
        router.post("/edge/v1/access") { request, context in try await take(request, context) }
        router.get("/:repository/api/v1/crates/:name/downloads") { request, context in
            try await downloads(request, context)
        }
        router.get("/api/v1/pulls") { request, context in try await pulls(request, context) }
    }

    private func take(_ request: Request, _ context: OriginContext) async throws -> Response {
        let edge = try context.principal.requireEdge()
        let body = try await request.body.collect(upTo: AccessBatch.bytesMax)
        let batch = try JSONDecoder().decode(AccessBatch.self, from: Data(buffer: body))
        guard batch.number > 0, batch.isSpoolNamed else {
            throw Refusal.badRequest("`spool` takes 32 lower-case hex digits, `number` a positive number")
        }
        guard max(batch.pulls.count, batch.reads.count) <= AccessBatch.rowsMax else {
            throw Refusal.tooLarge("a batch has at most \(AccessBatch.rowsMax) pulls and \(AccessBatch.rowsMax) reads")
        }
        guard batch.refusals?.count ?? 0 <= AccessBatch.refusalsMax else {
            throw Refusal.tooLarge("a batch has at most \(AccessBatch.refusalsMax) refusals")
        }
        let taken = try await store.take(batch, from: edge, now: Int(Date.now.timeIntervalSince1970))
        Metric.accessBatches.counter(["result": taken.taken ? "taken" : "repeated"]).increment()
        if taken.refused > 0 {
            context.logger.warning(
                "edge \(edge.name) told of reads or refusals that can't have been; they are left out",
                metadata: ["edge": "\(edge.name)", "rows": "\(taken.refused)"])
        }
        return try .json(taken)
    }

    private func downloads(_ request: Request, _ context: OriginContext) async throws -> Response {
        let repository = try await repositories.named(in: context)
        let name = try CrateName(context.parameters.require("name"))
        try context.principal.requireRead(repository, of: name)
        let days = try number("days", request, in: 1...Self.daysMax) ?? Self.daysDefault
        guard let reads = try await store.reads(of: name, in: repository, days: days) else {
            throw Refusal.notFound("repository `\(repository.name)` has no crate `\(name.spelling)`")
        }
        return try .json(reads)
    }

    private struct PullList: Encodable {
        let pulls: [ReadStore.Pull]
        /// For `before` of the next page; nil on the last one.
        let next: Int64?
    }

    private func pulls(_ request: Request, _ context: OriginContext) async throws -> Response {
        try context.principal.requireAdmin(nil)
        let asked = request.uri.queryParameters
        var filter = ReadStore.PullFilter()
        filter.repository = asked["repository"].map(String.init)
        filter.crate = try asked["crate"].map { try CrateName(String($0)) }
        filter.version = asked["version"].map(String.init)
        filter.token = try number("token", request, in: 1...Int.max).map { Int64($0) }
        filter.edge = asked["edge"].map(String.init)
        filter.before = try number("before", request, in: 1...Int.max).map { Int64($0) }
        filter.limit = try number("limit", request, in: 1...ReadStore.PullFilter.limitMax) ?? filter.limit
        if let problem = filter.problem { throw Refusal.badRequest(problem) }
        let found = try await store.pulls(filter)
        return try .json(PullList(pulls: found, next: found.count == filter.limit ? found.last?.id : nil))
    }

    private func number(_ name: String, _ request: Request, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = request.uri.queryParameters[Substring(name)] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Refusal.badRequest("`\(name)` takes a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

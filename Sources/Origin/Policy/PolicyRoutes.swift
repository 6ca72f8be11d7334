import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import PolicyRules
import Registry

/// A repository's rules and decisions over HTTP, for its administrators; `longshore-origin policy` does the same.
///
/// | request, below `/api/v1/repositories/{name}`                | answer                                                     |
/// |-------------------------------------------------------------|------------------------------------------------------------|
/// | `GET /policy`                                               | the policy file as it was set, TOML                        |
/// | `PUT /policy`, the body a policy file                       | `{"number":…,"applied":false}`; all is judged within seconds |
/// | `DELETE /policy`                                            | the same                                                   |
/// | `GET /policy/history`                                       | `{"policies":[…]}`, the newest first, without texts        |
/// | `GET /decisions?decision=block&crate=foo&limit=100`         | `{"decisions":[…]}`, those that say more than `allow`      |
/// | `GET /decisions/{crate}/{version}`                          | all facts, the decision and the number of the rules        |
/// | `POST /decisions/{crate}/{version}/release` with `{"reason":"…"}` | the decision as it is now, once the edges have it    |
///
/// All need `admin` in the repository. 400 for a file that can't be read, with the place of its first fault; 404, 409 and 413.
struct PolicyRoutes: Sendable {
    static let limitMax = 10_000

    let repositories: RepositoryStore
    let policies: PolicyStore
    let waitForEdges: @Sendable (UInt64) async -> Void
    /// Of bodies at once: 4 MiB each.
    private let uploads = Gate(insideMax: 4, waitingMax: 16, of: "policy files")

    init(
        repositories: RepositoryStore, policies: PolicyStore, waitForEdges: @escaping @Sendable (UInt64) async -> Void
    ) {
        self.repositories = repositories
        self.policies = policies
        self.waitForEdges = waitForEdges
    }

    /// Adds the slice's routes; each stands in `Route.all`.
    func add(to router: some RouterMethods<OriginContext>) {
        router.get("/api/v1/repositories/:name/policy") { _, context in try await show(context) }
        router.put("/api/v1/repositories/:name/policy") { request, context in try await put(request, context) }
        router.delete("/api/v1/repositories/:name/policy") { _, context in try await remove(context) }
        router.get("/api/v1/repositories/:name/policy/history") { _, context in try await history(context) }
        router.get("/api/v1/repositories/:name/decisions") { request, context in try await list(request, context) }
        router.get("/api/v1/repositories/:name/decisions/:crate/:version") { _, context in
            try await explain(context)
        }
        router.post("/api/v1/repositories/:name/decisions/:crate/:version/release") { request, context in
            try await release(request, context)
        }
    }

    private struct Accepted: Encodable {
        let number: Int
        /// Versions that are there are judged by the new rules within seconds, by whichever replica is first.
        let applied = false
    }

    private struct History: Encodable { let policies: [PolicyStore.Stored] }
    private struct Decisions: Encodable { let decisions: [PolicyStore.Standing] }
    private struct Reason: Decodable { let reason: String }

    private func show(_ context: OriginContext) async throws -> Response {
        let (repository, _) = try await administered(context)
        guard let text = try await policies.text(of: repository, number: nil) else {
            throw Refusal.notFound("repository `\(repository.name)` has no rules")
        }
        return Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    private func put(_ request: Request, _ context: OriginContext) async throws -> Response {
        let (repository, actor) = try await administered(context)
        let text = try await uploads.pass { try await read(request.body) }
        return try await set(text, of: repository, by: actor, context)
    }

    private func remove(_ context: OriginContext) async throws -> Response {
        let (repository, actor) = try await administered(context)
        return try await set(nil, of: repository, by: actor, context)
    }

    private func set(
        _ text: String?, of repository: Repository, by actor: Actor, _ context: OriginContext
    ) async throws -> Response {
        let number = try await policies.set(text, of: repository, by: actor)
        context.logger.notice(
            "rules \(number) \(text == nil ? "take the rules away" : "are set")",
            metadata: ["repository": "\(repository.name)", "login": "\(actor.name)"])
        return try .json(Accepted(number: number))
    }

    private func history(_ context: OriginContext) async throws -> Response {
        let (repository, _) = try await administered(context)
        return try .json(History(policies: try await policies.history(of: repository)))
    }

    private func list(_ request: Request, _ context: OriginContext) async throws -> Response {
        let (repository, _) = try await administered(context)
        let query = request.uri.queryParameters
        let decisions = try query["decision"].map { text in
            guard let decision = Decision(rawValue: String(text)) else {
                throw Refusal.badRequest("`decision` takes block, quarantine, flag or allow")
            }
            return [decision]
        }
        let limit = query["limit"].map { Int($0) ?? 0 } ?? 1_000
        guard (1...Self.limitMax).contains(limit) else {
            throw Refusal.badRequest("`limit` takes a number from 1 to \(Self.limitMax)")
        }
        let found = try await policies.standings(
            of: repository, decisions: decisions ?? Decision.allCases,
            crate: try query["crate"].map { try CrateName(String($0)) }, limit: limit)
        return try .json(Decisions(decisions: found))
    }

    private func explain(_ context: OriginContext) async throws -> Response {
        let (repository, _) = try await administered(context)
        return try .json(try await policies.explain(try subject(context), in: repository))
    }

    private func release(_ request: Request, _ context: OriginContext) async throws -> Response {
        let (repository, actor) = try await administered(context)
        let reason = try await request.decode(as: Reason.self, context: context).reason
        guard (1...PolicyStore.reasonBytesMax).contains(reason.utf8.count) else {
            throw Refusal.badRequest("`reason` takes 1 to \(PolicyStore.reasonBytesMax) bytes")
        }
        let (standing, position) = try await policies.release(
            try subject(context), in: repository, reason: reason, by: actor)
        context.logger.notice(
            "\(standing.crate) \(standing.version) is released",
            metadata: ["repository": "\(repository.name)", "login": "\(actor.name)"])
        if let position { await waitForEdges(position) }
        return try .json(standing)
    }

    /// - Throws: 403 before it is told whether there is such a repository.
    private func administered(_ context: OriginContext) async throws -> (Repository, Actor) {
        let name = try RepositoryName(try context.parameters.require("name"))
        let holder = try context.principal.requireAdmin(name)
        return (try await repositories.require(name), Actor(holder))
    }

    private func subject(_ context: OriginContext) throws -> PolicyStore.Subject {
        .init(
            try CrateName(context.parameters.require("crate")),
            try Version(context.parameters.require("version").decodingPlus))
    }

    private func read(_ body: RequestBody) async throws -> String {
        let bytes: ByteBuffer
        do {
            bytes = try await body.collect(upTo: PolicyStore.bytesMax)
        } catch is NIOTooManyBytesError {
            throw Refusal.tooLarge("a policy file has at most \(PolicyStore.bytesMax >> 20) MiB")
        }
        return try await offLoop {
            guard let text = String(validating: bytes.readableBytesView, as: UTF8.self) else {
                throw Refusal.badRequest("this is no policy file: it is not UTF-8")
            }
            do {
                _ = try PolicyFile(parsing: text)
            } catch {
                throw Refusal.badRequest("this is no policy file: \(error)")
            }
            return text
        }
    }
}

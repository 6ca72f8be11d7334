import FoundationEssentials
package import Hummingbird
import Registry
import Signing

/// What an edge asks the origin besides index files and crates, and edges over HTTP for administrators.
///
/// | request                                    | who                 | answer                                         |
/// |--------------------------------------------|---------------------|------------------------------------------------|
/// | `GET /edge/v1/repositories`                | an edge             | `RepositoryList`, `longshore-position`         |
/// | `POST /edge/v1/introspect`                 | an edge             | `Introspection` or 404, `longshore-position`   |
/// | `POST /edge/v1/report` with `EdgeReport`   | an edge             | 204                                            |
/// | `GET /{repository}/edges`                  | a reader            | `NearbyEdges`                                  |
/// | `GET /api/v1/edges`                        | admin of everything | `{"edges":[…]}`, each an `EdgeView`            |
/// | `POST /api/v1/edges` with name, region     | admin of everything | 201, the edge and its `credential`             |
/// | `DELETE /api/v1/edges/{name}`              | admin of everything | `{"ok":true}`                                  |
///
/// Source: docs/EVENTS.md and `EdgeWire`.
package struct EdgeRoutes: Sendable {
    let edges: EdgeStore
    let repositories: RepositoryStore
    let tokens: TokenStore
    let addresses: PublicAddresses
    let list: EdgeList
    let notes: AccessNotes

    package init(
        edges: EdgeStore, repositories: RepositoryStore, tokens: TokenStore, addresses: PublicAddresses,
        list: EdgeList, notes: AccessNotes
    ) {
        self.edges = edges
        self.notes = notes
        self.list = list
        self.repositories = repositories
        self.tokens = tokens
        self.addresses = addresses
    }

    /// Adds the slice's routes; each stands in `Route.all`.
    package func add(to router: some RouterMethods<OriginContext>) {
        router.get("/edge/v1/repositories") { _, context in try await listRepositories(context) }
        router.post("/edge/v1/introspect") { request, context in try await introspect(request, context) }
        router.post("/edge/v1/report") { request, context in try await report(request, context) }
        router.get("/:repository/edges") { _, context in try await nearby(context) }
        router.get("/api/v1/edges") { _, context in try await list(context) }
        router.post("/api/v1/edges") { request, context in try await create(request, context) }
        router.delete("/api/v1/edges/:name") { _, context in try await revoke(context) }
    }

    private func listRepositories(_ context: OriginContext) async throws -> Response {
        _ = try context.principal.requireEdge()
        let found = try await repositories.list()
        let entries = found.repositories.map { repository in
            RepositoryList.Entry(
                name: repository.name.description, isPrivate: repository.isPrivate,
                api: addresses.api(repository.name), loginURL: addresses.login(repository.name),
                offline: repository.offline.rawValue, offlineSecondsMax: repository.offlineSecondsMax)
        }
        var response = try Response.json(RepositoryList(repositories: entries), position: found.position)
        response.headers[.longshoreClosureParts] = "\(ClosurePart.countMax)"
        return response
    }

    private func introspect(_ request: Request, _ context: OriginContext) async throws -> Response {
        let edge = try context.principal.requireEdge()
        let question = try await request.decode(as: Introspection.Question.self, context: context)
        guard let hash = Checksum(hex: question.sha256) else {
            throw Refusal.badRequest("`sha256` takes 64 lower-case hex digits")
        }
        let found = try await tokens.record(hash: hash)
        guard let record = found.record, record.revoked == nil, !record.isExpired else {
            let rejection: Principal.Rejection =
                found.record.map { $0.revoked == nil ? .expired : .revoked } ?? .unknown
            if question.tellsRefusals != true { notes.refusedAtEdge(edge, rejection, found.record) }
            // With the position: only then does the 404 come from us, and says what it says.
            throw Refusal(
                .notFound, "no valid token has this hash",
                headers: [.longshorePosition: String(found.position)])
        }
        let holder = record.holder
        notes.login(holder, edge: edge.name)
        return try .json(
            Introspection(subject: holder.subject, grants: holder.grants, expires: holder.expires),
            position: found.position)
    }

    private struct Creation: Decodable {
        let name: String
        let region: String?
    }

    private struct Created: Encodable {
        let edge: Edge
        /// Shown here and never again.
        let credential: String

        struct Edge: Encodable {
            let name: String
            let region: String
            let created: String
        }
    }

    private struct List: Encodable { let edges: [EdgeView] }

    private func report(_ request: Request, _ context: OriginContext) async throws -> Response {
        let edge = try context.principal.requireEdge()
        let report = try await request.decode(as: EdgeReport.self, context: context)
        if let problem = report.problem { throw Refusal.badRequest(problem) }
        try await edges.reported(edge, report)
        return Response(status: .noContent)
    }

    private func nearby(_ context: OriginContext) async throws -> Response {
        let repository = try await repositories.named(in: context)
        try context.principal.requireRead(repository, of: nil)
        return try .json(NearbyEdges(repository.name, try await list.all(), addresses))
    }

    private func list(_ context: OriginContext) async throws -> Response {
        try context.principal.requireAdmin(nil)
        return try .json(List(edges: try await list.all()))
    }

    private func create(_ request: Request, _ context: OriginContext) async throws -> Response {
        let holder = try context.principal.requireAdmin(nil)
        let asked = try await request.decode(as: Creation.self, context: context)
        let made = try await edges.create(name: asked.name, region: asked.region ?? "", by: Actor(holder))
        let edge = Created.Edge(name: made.record.name, region: made.record.region, created: made.record.created)
        return try .json(Created(edge: edge, credential: made.secret.text), status: .created)
    }

    private func revoke(_ context: OriginContext) async throws -> Response {
        let holder = try context.principal.requireAdmin(nil)
        try await edges.revoke(name: try context.parameters.require("name"), by: Actor(holder))
        return try .json(["ok": true])
    }
}

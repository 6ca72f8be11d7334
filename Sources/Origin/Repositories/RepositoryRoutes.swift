import FoundationEssentials
package import Hummingbird
import NIOFoundationEssentialsCompat
import Registry

/// Repositories over HTTP, for administrators; `longshore-origin repository` does the same.
///
/// | request                                              | answer                                                  |
/// |------------------------------------------------------|---------------------------------------------------------|
/// | `GET /api/v1/repositories`                           | `{"repositories":[…]}`: those that the token may read   |
/// | `POST /api/v1/repositories` with name and settings   | 201 and the repository, 409 if the name is taken        |
/// | `GET /api/v1/repositories/{name}`                    | the repository                                          |
/// | `PATCH /api/v1/repositories/{name}` with settings    | the repository as it is now                             |
/// | `DELETE /api/v1/repositories/{name}?confirm={name}`  | `{"ok":true}`; 400 without the name repeated            |
///
/// Changing a repository needs `admin` in it, making one `admin` in all. Settings: `RepositorySettings`.
package struct RepositoryRoutes: Sendable {
    let repositories: RepositoryStore
    let addresses: PublicAddresses

    package init(repositories: RepositoryStore, addresses: PublicAddresses) {
        self.repositories = repositories
        self.addresses = addresses
    }

    /// Adds the slice's routes; each stands in `Route.all`.
    package func add(to router: some RouterMethods<OriginContext>) {
        router.get("/api/v1/repositories") { _, context in try await list(context) }
        router.post("/api/v1/repositories") { request, context in try await create(request, context) }
        router.get("/api/v1/repositories/:name") { _, context in try await show(context) }
        router.patch("/api/v1/repositories/:name") { request, context in try await update(request, context) }
        router.delete("/api/v1/repositories/:name") { request, context in try await delete(request, context) }
    }

    private struct Creation: Decodable {
        let name: String
    }

    private struct List: Encodable {
        let repositories: [RepositoryView]
    }

    private func list(_ context: OriginContext) async throws -> Response {
        let holder = try context.principal.requireToken()
        let all = try await repositories.list().repositories
        let seen = all.filter { holder.mayRead($0) }
        return try .json(List(repositories: seen.map { RepositoryView($0, addresses) }))
    }

    private func create(_ request: Request, _ context: OriginContext) async throws -> Response {
        let holder = try context.principal.requireAdmin(nil)
        let body = try await request.body.collect(upTo: context.maxUploadSize)
        let name = try RepositoryName(try JSONDecoder().decode(Creation.self, from: Data(buffer: body)).name)
        let settings = try JSONDecoder().decode(RepositorySettings.self, from: Data(buffer: body)).checked()
        let made = try await repositories.create(name, settings, by: Actor(holder))
        return try .json(RepositoryView(made, addresses), status: .created)
    }

    private func show(_ context: OriginContext) async throws -> Response {
        let holder = try context.principal.requireToken()
        let name = try name(context)
        let repository = try await repositories.find(name)
        // Whether a repository exists that one may not read is nobody's business.
        guard let repository, holder.mayRead(repository) else {
            try context.principal.require(.read, in: name, of: nil)
            throw Refusal.noRepository(name)
        }
        return try .json(RepositoryView(repository, addresses))
    }

    private func update(_ request: Request, _ context: OriginContext) async throws -> Response {
        let name = try name(context)
        let holder = try context.principal.requireAdmin(name)
        let settings = try await request.decode(as: RepositorySettings.self, context: context).checked()
        guard !settings.isEmpty else {
            throw Refusal.badRequest(
                "nothing to change: give `private`, `offline`, `offline_seconds_max`, `metadata_required` or "
                    + "`rewrite_crates_io`")
        }
        let changed = try await repositories.update(name, settings, by: Actor(holder))
        return try .json(RepositoryView(changed, addresses))
    }

    private func delete(_ request: Request, _ context: OriginContext) async throws -> Response {
        let name = try name(context)
        let holder = try context.principal.requireAdmin(name)
        guard request.uri.queryParameters["confirm"].map(String.init) == name.description else {
            throw Refusal.badRequest(
                "deleting `\(name)` removes all its crates for good; repeat the name to confirm: `?confirm=\(name)`")
        }
        try await repositories.delete(name, by: Actor(holder))
        return try .json(["ok": true])
    }

    private func name(_ context: OriginContext) throws -> RepositoryName {
        try RepositoryName(try context.parameters.require("name"))
    }
}

/// A repository as the API and `--json` show it.
package struct RepositoryView: Encodable, Hashable, Sendable {
    package let name: String
    package let isPrivate: Bool
    package let offline: Repository.Offline
    package let offlineSecondsMax: Int
    package let metadataRequired: Bool
    package let cratesIO: CratesIORewriting
    /// What follows from it.
    package let rewritesCratesIO: Bool
    /// What goes into `.cargo/config.toml`: `sparse+https://…/index/`.
    package let index: String

    package init(_ repository: Repository, _ addresses: PublicAddresses) {
        name = repository.name.description
        isPrivate = repository.isPrivate
        offline = repository.offline
        offlineSecondsMax = repository.offlineSecondsMax
        metadataRequired = repository.metadataRequired
        cratesIO = repository.cratesIO
        rewritesCratesIO = repository.rewritesCratesIO
        index = "sparse+" + addresses.index(repository.name)
    }

    private enum CodingKeys: String, CodingKey {
        case name
        case isPrivate = "private"
        case offline
        case offlineSecondsMax = "offline_seconds_max"
        case metadataRequired = "metadata_required"
        case cratesIO = "rewrite_crates_io"
        case rewritesCratesIO = "rewrites_crates_io"
        case index
    }
}

extension TokenHolder {
    func mayRead(_ repository: Repository) -> Bool {
        !repository.isPrivate || grants.contains { $0.allows(.read, in: repository.name, of: nil) }
    }
}

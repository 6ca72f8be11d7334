import FoundationEssentials
import Hummingbird
import Registry

/// A repository's upstreams over HTTP, for its administrators; `longshore-origin upstream` does the same.
///
/// | request, below `/api/v1/repositories/{name}`           | answer                                                       |
/// |--------------------------------------------------------|--------------------------------------------------------------|
/// | `GET /upstreams`                                       | `{"upstreams":[…],"reserved":[…]}`, each an `UpstreamView`, in the order in which they are asked |
/// | `GET /upstreams/{upstream}`                            | `{"upstream":…,"faults":[…]}`: the last hundred              |
/// | `PUT /upstreams/{upstream}` with `Setting`             | the upstream as it is now; 201 if it is new                  |
/// | `DELETE /upstreams/{upstream}`                         | `{"ok":true}`                                                |
/// | `PUT /upstreams/{upstream}/credential` with `{"credential":"…"}` | `{"ok":true}`; it is never shown again             |
/// | `DELETE /upstreams/{upstream}/credential`              | `{"ok":true}`                                                |
/// | `PUT /reserved-names` with `{"patterns":[…]}`          | `{"reserved":[…]}`                                           |
///
/// All need `admin` in the repository, and `allow_private` needs `admin` in all: it opens the origin's own network. What a PUT
/// does not name gets its default; the credential stays while scheme, host and port of the index do, and the place in the order
/// while no `position` (from 1 on) is named.
struct UpstreamRoutes: Sendable {
    let repositories: RepositoryStore
    let upstreams: UpstreamStore
    let seal: KeySeal

    /// Adds the slice's routes; each stands in `Route.all`.
    func add(to router: some RouterMethods<OriginContext>) {
        let base: RouterPath = "/api/v1/repositories/:name/upstreams"
        let one: RouterPath = "/api/v1/repositories/:name/upstreams/:upstream"
        let credential: RouterPath = "/api/v1/repositories/:name/upstreams/:upstream/credential"
        router.get(base) { _, context in try await list(context) }
        router.get(one) { _, context in try await show(context) }
        router.put(one) { request, context in try await put(request, context) }
        router.delete(one) { _, context in try await remove(context) }
        router.put(credential) { request, context in try await setCredential(request, context) }
        router.delete(credential) { _, context in try await removeCredential(context) }
        router.put("/api/v1/repositories/:name/reserved-names") { request, context in
            try await reserve(request, context)
        }
    }

    /// What can be said of an upstream.
    private struct Setting: Decodable {
        let index: String
        let include: [String]?
        let exclude: [String]?
        let freshSeconds: Int?
        let allowPrivate: Bool?
        let alsoHosts: [String]?
        let position: Int?

        private enum CodingKeys: String, CodingKey {
            case index, include, exclude, position
            case freshSeconds = "fresh_seconds"
            case allowPrivate = "allow_private"
            case alsoHosts = "also_hosts"
        }

        func offer(_ name: RepositoryName) throws -> UpstreamOffer {
            try UpstreamOffer(
                name: name, index: index, include: include ?? [], exclude: exclude ?? [],
                freshSeconds: freshSeconds ?? 60, privateAllowed: allowPrivate ?? false, alsoHosts: alsoHosts ?? [])
        }
    }

    private struct List: Encodable {
        let upstreams: [UpstreamView]
        let reserved: [String]
    }

    private struct Shown: Encodable {
        let upstream: UpstreamView
        let faults: [UpstreamFaultView]
    }

    private struct Secret: Decodable { let credential: String }
    private struct Patterns: Decodable { let patterns: [String] }

    private func list(_ context: OriginContext) async throws -> Response {
        let (repository, _) = try await administered(context)
        let reserved = try await upstreams.reserved(in: repository).map(\.description)
        return try .json(
            List(upstreams: try await upstreams.overview(of: repository).map(UpstreamView.init), reserved: reserved))
    }

    private func show(_ context: OriginContext) async throws -> Response {
        let (repository, _) = try await administered(context)
        let name = try upstream(context)
        return try .json(
            Shown(
                upstream: try await view(name, in: repository),
                faults: try await upstreams.faults(of: repository, upstream: name)))
    }

    private func put(_ request: Request, _ context: OriginContext) async throws -> Response {
        let (repository, actor) = try await administered(context)
        let name = try upstream(context)
        let setting = try await request.decode(as: Setting.self, context: context)
        let offer = try setting.offer(name)
        if offer.privateAllowed { try context.principal.requireAdmin(nil) }
        let isNew = try await upstreams.put(offer, at: setting.position, in: repository, by: actor)
        return try .json(try await view(name, in: repository), status: isNew ? .created : .ok)
    }

    private func remove(_ context: OriginContext) async throws -> Response {
        let (repository, actor) = try await administered(context)
        try await upstreams.remove(try upstream(context), from: repository, by: actor)
        return try .json(["ok": true])
    }

    private func setCredential(_ request: Request, _ context: OriginContext) async throws -> Response {
        let (repository, actor) = try await administered(context)
        let text = try await request.decode(as: Secret.self, context: context).credential
        guard let credential = UpstreamCredential(text) else {
            throw Refusal.badRequest(
                "`credential` takes what goes into the `Authorization` header, at most 4096 characters")
        }
        try await upstreams.setCredential(
            .init(credential: credential, seal: seal), of: try upstream(context), in: repository, by: actor)
        return try .json(["ok": true])
    }

    private func removeCredential(_ context: OriginContext) async throws -> Response {
        let (repository, actor) = try await administered(context)
        try await upstreams.setCredential(nil, of: try upstream(context), in: repository, by: actor)
        return try .json(["ok": true])
    }

    private func reserve(_ request: Request, _ context: OriginContext) async throws -> Response {
        let (repository, actor) = try await administered(context)
        let texts = try await request.decode(as: Patterns.self, context: context).patterns
        try await upstreams.reserve(try UpstreamOffer.patterns(texts), in: repository, by: actor)
        return try .json(["reserved": try await upstreams.reserved(in: repository).map(\.description)])
    }

    /// - Throws: 403 before it is told whether there is such a repository.
    private func administered(_ context: OriginContext) async throws -> (Repository, Actor) {
        let name = try RepositoryName(try context.parameters.require("name"))
        let holder = try context.principal.requireAdmin(name)
        return (try await repositories.require(name), Actor(holder))
    }

    private func upstream(_ context: OriginContext) throws -> RepositoryName {
        try RepositoryName(try context.parameters.require("upstream"))
    }

    private func view(_ name: RepositoryName, in repository: Repository) async throws -> UpstreamView {
        let all = try await upstreams.overview(of: repository)
        guard let found = all.first(where: { $0.upstream.name == name.description }) else {
            throw Refusal.noUpstream(name, in: repository)
        }
        return UpstreamView(found)
    }
}

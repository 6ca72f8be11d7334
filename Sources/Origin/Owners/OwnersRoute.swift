import FoundationEssentials
package import Hummingbird
import Registry

/// `GET`, `PUT`, `DELETE /{repository}/api/v1/crates/{name}/owners`.
///
/// | situation                             | answer                                | case |
/// |---------------------------------------|---------------------------------------|------|
/// | list                                  | 200 `{"users":[{"id":1,"login":"a"…}]}` |    |
/// | add, remove                           | 200 `{"ok":true,"msg":"…"}`           | H7   |
/// | remove the last owner                 | 400                                   | H8   |
/// | a login without a token               | 400 with the next step                |      |
/// | more than 10 logins, or none          | 400                                   |      |
/// | the one who asks is no owner          | 403                                   | E13  |
/// | no such crate                         | 404                                   |      |
package struct OwnersRoute: Sendable {
    let repositories: RepositoryStore
    let owners: OwnersStore

    package init(repositories: RepositoryStore, owners: OwnersStore) {
        self.repositories = repositories
        self.owners = owners
    }

    package func add(to router: some RouterMethods<OriginContext>) {
        router.get("/:repository/api/v1/crates/:name/owners") { _, context in try await list(context) }
        router.put("/:repository/api/v1/crates/:name/owners") { request, context in
            try await change(request, context, OwnersChange.add)
        }
        router.delete("/:repository/api/v1/crates/:name/owners") { request, context in
            try await change(request, context, OwnersChange.remove)
        }
    }

    private func list(_ context: OriginContext) async throws -> Response {
        let repository = try await repositories.named(in: context)
        let crate = try CrateName(context.parameters.require("name"))
        try context.principal.requireRead(repository, of: crate)
        guard let owners = try await owners.owners(of: crate, in: repository) else {
            throw Refusal.noSuchCrate(crate, in: repository.name)
        }
        return .cargo(.owners(owners))
    }

    private func change(
        _ request: Request, _ context: OriginContext, _ make: ([String]) -> OwnersChange
    ) async throws -> Response {
        let repository = try await repositories.named(in: context)
        let crate = try CrateName(context.parameters.require("name"))
        try context.principal.require(.owners, in: repository.name, of: crate)
        let body = try await request.body.collect(upTo: context.maxUploadSize)
        let logins = try JSONDecoder().decode(Logins.self, from: Data(body.readableBytesView)).users
        try OwnersChange.check(logins)
        let change = make(logins)
        let name = try await owners.change(change, of: crate, in: repository, by: context.principal)
        return .cargo(.message(change.message(crate: name)))
    }

    private struct Logins: Decodable { let users: [String] }
}

package import Hummingbird
import Logging
import Registry

/// `DELETE /{repository}/api/v1/crates/{name}/{version}/yank` and `PUT …/unyank`.
///
/// | situation                     | answer                                            | case |
/// |-------------------------------|---------------------------------------------------|------|
/// | changed                       | 200 `{"ok":true}` once the edges have the change  | H1, I10 |
/// | it was so already             | 200 `{"ok":true}`, no event                       | H2   |
/// | unyank after yank             | the file's old bytes, a higher generation         | B13  |
/// | no such crate or version      | 404                                               |      |
/// | the one who asks is no owner  | 403                                               | E13  |
///
/// `{"ok":false}` would make cargo panic (H4), so it is never said.
package struct YankRoute: Sendable {
    let repositories: RepositoryStore
    let store: YankStore
    let waitForEdges: @Sendable (UInt64) async -> Void

    package init(
        repositories: RepositoryStore, store: YankStore, waitForEdges: @escaping @Sendable (UInt64) async -> Void
    ) {
        self.repositories = repositories
        self.store = store
        self.waitForEdges = waitForEdges
    }

    package func add(to router: some RouterMethods<OriginContext>) {
        router.delete("/:repository/api/v1/crates/:name/:version/yank") { _, context in
            try await set(yanked: true, context)
        }
        router.put("/:repository/api/v1/crates/:name/:version/unyank") { _, context in
            try await set(yanked: false, context)
        }
    }

    private func set(yanked: Bool, _ context: OriginContext) async throws -> Response {
        let repository = try await repositories.named(in: context)
        let crate = try CrateName(context.parameters.require("name"))
        let version = try Version(context.parameters.require("version").decodingPlus)
        let position = try await store.set(
            yanked: yanked, version, of: crate, in: repository, by: context.principal)
        if let position {
            context.logger.notice(
                "crate \(crate.spelling) \(version) \(yanked ? "yanked" : "unyanked")",
                metadata: ["repository": "\(repository.name)", "position": "\(position)"])
            await waitForEdges(position)
        }
        return .cargo(.done)
    }
}

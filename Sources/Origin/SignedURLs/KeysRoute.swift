package import Hummingbird
import Registry
import Signing

/// `GET /edge/v1/keys`: the public keys of signed URLs, and the asking edge's own name.
///
/// | situation | answer                                    |
/// |-----------|-------------------------------------------|
/// | an edge   | 200 `SigningKeyList`, `longshore-position` |
/// | else      | 401 or 403                                |
///
/// Source: docs/EVENTS.md and `EdgeWire`.
package struct KeysRoute: Sendable {
    let keys: SigningKeyStore

    package init(keys: SigningKeyStore) { self.keys = keys }

    /// Adds the slice's routes; each stands in `Route.all`.
    package func add(to router: some RouterMethods<OriginContext>) {
        router.get("/edge/v1/keys") { _, context in try await answer(context) }
    }

    private func answer(_ context: OriginContext) async throws -> Response {
        let edge = try context.principal.requireEdge()
        let (keys, position) = try await keys.published()
        let entries = keys.map { key in
            SigningKeyList.Entry(id: key.id, key: Base64URL.text(key.publicKey), isRetired: key.retired != nil)
        }
        return try .json(SigningKeyList(edge: edge.name, keys: entries), position: position)
    }
}

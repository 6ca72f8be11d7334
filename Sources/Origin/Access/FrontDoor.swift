package import Hummingbird
import HTTPTypes

/// Takes the token out of `/t/{token}/…` and puts it where others send it, before any route sees the path.
///
/// cargo before 1.74 can't send a token with reads, so such clients carry it in the index URL. Removed here, it
/// can't reach logs, metrics or error texts. The header of a client that sends both is replaced: the address is
/// what its user wrote down for this repository.
package struct FrontDoor<Inner: HTTPResponder>: HTTPResponder where Inner.Context == OriginContext {
    let inner: Inner

    package init(_ inner: Inner) { self.inner = inner }

    package func respond(to request: Request, context: OriginContext) async throws -> Response {
        guard let (token, path) = Self.splitting(request.head.path ?? "/") else {
            return try await inner.respond(to: request, context: context)
        }
        var head = request.head
        head.path = path
        head.headerFields[.authorization] = token
        return try await inner.respond(to: Request(head: head, body: request.body), context: context)
    }

    /// - Returns: nil for paths that do not begin with `/t/`.
    static func splitting(_ target: String) -> (token: String, path: String)? {
        guard target.hasPrefix("/t/") else { return nil }
        let rest = target.dropFirst("/t/".count)
        guard let end = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return (String(rest), "/") }
        let path = rest[end...]
        return (String(rest[..<end]), path.hasPrefix("/") ? String(path) : "/" + path)
    }
}

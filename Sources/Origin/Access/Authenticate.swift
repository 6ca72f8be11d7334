package import Hummingbird
import Registry
import Signing

/// Finds out who asks, and puts it into the context; it refuses nobody, handlers do.
///
/// A refusal with 401 leaves with `WWW-Authenticate: Cargo login_url="…"`, because cargo looks for a token and asks
/// again only after that challenge, and only if the address is absolute (D1, D11).
package struct Authenticate: RouterMiddleware {
    let tokens: TokenStore
    let edges: EdgeStore
    let addresses: PublicAddresses

    package init(tokens: TokenStore, edges: EdgeStore, addresses: PublicAddresses) {
        self.tokens = tokens
        self.edges = edges
        self.addresses = addresses
    }

    package func handle(
        _ request: Request, context: OriginContext, next: (Request, OriginContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.principal = try await principal(Credential(authorization: request.headers[.authorization]))
        do {
            return try await next(request, context)
        } catch let refusal as Refusal where refusal.status == .unauthorized {
            var headers = refusal.headers
            headers[.wwwAuthenticate] = addresses.challenge(forPath: request.uri.path)
            throw Refusal(refusal.status, refusal.detail, headers: headers)
        }
    }

    private func principal(_ credential: Credential) async throws -> Principal {
        switch credential {
        case .none: return .anonymous
        case .malformed: return .rejected(.malformed)
        case .unknownScheme(let scheme): return .rejected(.unknownScheme(scheme))
        case .secret(let secret):
            switch secret.kind {
            case .token: return try await tokens.principal(hash: secret.hash)
            case .edge: return try await edges.principal(hash: secret.hash)
            }
        }
    }
}

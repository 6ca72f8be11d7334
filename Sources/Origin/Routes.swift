package import HTTPTypes
import Hummingbird
package import Registry

/// Every address that the origin answers, one line each.
///
/// Slices register their handlers; `RouteRecorder` compares what they register with this table, so that neither can
/// be changed alone, and tests ask each line as each kind of client.
package struct Route: Hashable, Sendable, CustomStringConvertible {
    /// Who gets past the door; what else a handler asks for is its own business.
    package enum Audience: Hashable, Sendable {
        case anyone
        /// Anyone in a public repository, a token with `read` in a private one.
        case reader
        /// A token whose grants allow one of these in the repository of the path.
        case holder([Action])
        /// Any valid token.
        case token
        /// A token with `admin` in the repository of the path.
        case repositoryAdmin
        /// A token with `admin` in every repository.
        case admin
        /// An edge's credential, and nobody else's.
        case edge
    }

    package let method: HTTPRequest.Method
    /// As Hummingbird spells it, with `{name}` for a part that varies.
    package let path: String
    package let audience: Audience

    init(_ method: HTTPRequest.Method, _ path: String, _ audience: Audience) {
        self.method = method
        self.path = path
        self.audience = audience
    }

    package var description: String { "\(method) \(path)" }

    package static let all: [Route] = [
        Route(.get, "/me", .anyone),
        Route(.get, "/{repository}/me", .anyone),

        Route(.get, "/{repository}/index/config.json", .reader),
        Route(.head, "/{repository}/index/config.json", .reader),
        Route(.get, "/{repository}/index/**", .reader),
        Route(.head, "/{repository}/index/**", .reader),
        Route(.get, "/{repository}/crates/{name}/{version}/{file}", .reader),
        Route(.head, "/{repository}/crates/{name}/{version}/{file}", .reader),
        // 307 to the nearest edge while one is connected.
        Route(.get, "/{repository}/dl/{name}/{version}/download", .reader),
        Route(.head, "/{repository}/dl/{name}/{version}/download", .reader),

        Route(.put, "/{repository}/api/v1/crates/new", .holder([.publishNew, .publishUpdate])),
        Route(.delete, "/{repository}/api/v1/crates/{name}/{version}/yank", .holder([.yank])),
        Route(.put, "/{repository}/api/v1/crates/{name}/{version}/unyank", .holder([.yank])),
        Route(.get, "/{repository}/api/v1/crates/{name}/owners", .reader),
        Route(.put, "/{repository}/api/v1/crates/{name}/owners", .holder([.owners])),
        Route(.delete, "/{repository}/api/v1/crates/{name}/owners", .holder([.owners])),
        Route(.get, "/{repository}/api/v1/crates", .reader),
        Route(.get, "/{repository}/api/v1/crates/{name}/downloads", .reader),

        Route(.get, "/api/v1/whoami", .token),
        Route(.get, "/api/v1/tokens", .token),
        Route(.post, "/api/v1/tokens", .admin),
        Route(.delete, "/api/v1/tokens/{id}", .token),
        Route(.get, "/api/v1/repositories", .token),
        Route(.post, "/api/v1/repositories", .admin),
        Route(.get, "/api/v1/repositories/{name}", .token),
        Route(.patch, "/api/v1/repositories/{name}", .repositoryAdmin),
        Route(.delete, "/api/v1/repositories/{name}", .repositoryAdmin),
        Route(.get, "/api/v1/repositories/{name}/upstreams", .repositoryAdmin),
        Route(.get, "/api/v1/repositories/{name}/upstreams/{upstream}", .repositoryAdmin),
        Route(.put, "/api/v1/repositories/{name}/upstreams/{upstream}", .repositoryAdmin),
        Route(.delete, "/api/v1/repositories/{name}/upstreams/{upstream}", .repositoryAdmin),
        Route(.put, "/api/v1/repositories/{name}/upstreams/{upstream}/credential", .repositoryAdmin),
        Route(.delete, "/api/v1/repositories/{name}/upstreams/{upstream}/credential", .repositoryAdmin),
        Route(.put, "/api/v1/repositories/{name}/reserved-names", .repositoryAdmin),
        Route(.get, "/api/v1/repositories/{name}/policy", .repositoryAdmin),
        Route(.put, "/api/v1/repositories/{name}/policy", .repositoryAdmin),
        Route(.delete, "/api/v1/repositories/{name}/policy", .repositoryAdmin),
        Route(.get, "/api/v1/repositories/{name}/policy/history", .repositoryAdmin),
        Route(.get, "/api/v1/repositories/{name}/decisions", .repositoryAdmin),
        Route(.get, "/api/v1/repositories/{name}/decisions/{crate}/{version}", .repositoryAdmin),
        Route(.post, "/api/v1/repositories/{name}/decisions/{crate}/{version}/release", .repositoryAdmin),
        Route(.get, "/api/v1/repositories/{name}/lock-files", .holder([.read])),
        Route(.put, "/api/v1/repositories/{name}/lock-files/**", .holder([.read])),
        Route(.get, "/api/v1/repositories/{name}/lock-files/**", .holder([.read])),
        Route(.delete, "/api/v1/repositories/{name}/lock-files/**", .holder([.read])),
        Route(.get, "/{repository}/edges", .reader),
        Route(.get, "/api/v1/edges", .admin),
        Route(.post, "/api/v1/edges", .admin),
        Route(.delete, "/api/v1/edges/{name}", .admin),
        Route(.get, "/api/v1/pulls", .admin),
        Route(.get, "/api/v1/audit", .admin),

        Route(.get, "/edge/v1/feed", .edge),
        Route(.post, "/edge/v1/ack", .edge),
        Route(.get, "/edge/v1/repositories", .edge),
        Route(.get, "/edge/v1/keys", .edge),
        Route(.post, "/edge/v1/introspect", .edge),
        Route(.post, "/edge/v1/report", .edge),
        Route(.post, "/edge/v1/access", .edge),
        Route(.get, "/edge/v1/index/{repository}/**", .edge),
        Route(.head, "/edge/v1/index/{repository}/**", .edge),
        Route(.post, "/edge/v1/closure/{repository}", .edge),
        Route(.get, "/edge/v1/crates/{repository}/{name}/{version}/{file}", .edge),
        Route(.head, "/edge/v1/crates/{repository}/{name}/{version}/{file}", .edge),
    ]
}

/// Hands routes on to the router and notes them, so that they can be compared with the table.
final class RouteRecorder: RouterMethods {
    private let router: Router<OriginContext>
    private(set) var recorded: Set<String> = []

    init(_ router: Router<OriginContext>) { self.router = router }

    @discardableResult
    func on<Responder: HTTPResponder>(
        _ path: RouterPath, method: HTTPRequest.Method, responder: Responder
    ) -> Self where Responder.Context == OriginContext {
        recorded.insert("\(method) \(path)")
        router.on(path, method: method, responder: responder)
        return self
    }

    @discardableResult
    func add(middleware: any MiddlewareProtocol<Request, Response, OriginContext>) -> Self {
        router.add(middleware: middleware)
        return self
    }
}

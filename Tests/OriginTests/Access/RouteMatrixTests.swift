import HTTPTypes
import Registry
import Signing
import TestSupport
import Testing

@testable import Origin

/// Every line of the route table as every kind of client, so that a new route can't be forgotten.
struct RouteMatrixTests {
    /// What the door says, before the handler looks at anything else.
    private enum Door: String { case open, unauthorized = "401", forbidden = "403" }

    private struct Callers {
        let admin: String
        let reader: String
        let publisher: String
        let stranger: String
        let revoked: String
        let edge: String

        var all: [(name: String, caller: TestOrigin.Caller)] {
            [
                ("anonymous", .anonymous), ("admin", .token(admin)), ("reader", .token(reader)),
                ("publisher", .token(publisher)), ("stranger", .token(stranger)), ("revoked", .token(revoked)),
                ("edge", .edge(edge)),
            ]
        }
    }

    // D1, D4, D5, D17
    @Test func `each route opens its door to whom the table names, and to nobody else`() async throws {
        try await TestOrigin.with { origin in
            try await origin.repository("secret", isPrivate: true)
            try await origin.repository("other")
            let revoked = try await origin.made("gone", [.admin])
            _ = try await origin.slices.tokens.revoke(id: revoked.record.id, by: .commandLine)
            let callers = Callers(
                admin: try await origin.token("root", [.admin]),
                reader: try await origin.token("ann", [.read], in: ["secret"]),
                publisher: try await origin.token(
                    "pub", [.publishNew, .publishUpdate, .yank, .owners], in: ["secret"]),
                stranger: try await origin.token("eve", Action.allCases, in: ["other"]),
                revoked: revoked.secret.text, edge: try await origin.edge("eu"))
            for route in Route.all {
                for (name, caller) in callers.all where !isStream(route, name) {
                    let answer = try await origin.call(
                        route.method.rawValue, path(of: route), as: caller, json: body(of: route))
                    let found: Door =
                        answer.status == 401 ? .unauthorized : answer.status == 403 ? .forbidden : .open
                    #expect(found == expected(route, name), "\(route) as \(name): \(answer.status) \(answer.text)")
                    #expect(answer.status < 500, "\(route) as \(name): \(answer.status) \(answer.text)")
                }
            }
        }
    }

    /// A feed does not end by itself; `FeedTests` reads it.
    private func isStream(_ route: Route, _ caller: String) -> Bool {
        route.path == "/edge/v1/feed" && caller == "edge"
    }

    private func expected(_ route: Route, _ caller: String) -> Door {
        if route.audience == .anyone { return .open }
        if caller == "anonymous" || caller == "revoked" { return .unauthorized }
        if route.audience == .edge { return caller == "edge" ? .open : .forbidden }
        if caller == "edge" { return .forbidden }
        let isAllowed =
            switch route.audience {
            case .anyone, .edge: true
            case .token: isAllowedWithToken(route, caller)
            case .reader: caller == "reader" || caller == "admin"
            case .holder([.read]): caller == "reader" || caller == "admin"
            case .holder: caller == "publisher" || caller == "admin"
            case .repositoryAdmin, .admin: caller == "admin"
            }
        return isAllowed ? .open : .forbidden
    }

    /// Any token gets past the door; showing a private repository needs the right to read it besides.
    private func isAllowedWithToken(_ route: Route, _ caller: String) -> Bool {
        route.path != "/api/v1/repositories/{name}" || caller == "reader" || caller == "admin"
    }

    private func path(of route: Route) -> String {
        let hash = String(repeating: "0", count: 64)
        let values = [
            ("{repository}", "secret"), ("{version}", "1.0.0"), ("{file}", "\(hash).crate"), ("{id}", "999999"),
            ("index/**", "index/ab/cd/abcd"), ("index/secret/**", "index/secret/ab/cd/abcd"),
            ("repositories/{name}", "repositories/secret"), ("{upstream}", "up"),
            ("lock-files/**", "lock-files/team/app"), ("{crate}", "abcd"),
        ]
        var path = values.reduce(route.path) { path, value in path.replacing(value.0, with: value.1) }
        path.replace("{name}", with: "abcd")
        // Without `confirm`, so that the matrix does not delete what it asks about.
        return path
    }

    private func body(of route: Route) -> String? {
        switch (route.method, route.path) {
        case (.post, "/api/v1/tokens"):
            #"{"name":"x","grants":[{"actions":["read"],"repositories":["secret"],"crates":["*"]}]}"#
        case (.post, "/api/v1/repositories"), (.post, "/api/v1/edges"): "{}"
        case (.patch, _), (.post, "/edge/v1/report"), (.post, "/edge/v1/access"): "{}"
        case (.put, let path) where path.hasPrefix("/api/v1/repositories/"): "{}"
        case (.put, let path) where path.hasSuffix("owners"), (.delete, let path) where path.hasSuffix("owners"):
            #"{"users":["ann"]}"#
        default: nil
        }
    }
}

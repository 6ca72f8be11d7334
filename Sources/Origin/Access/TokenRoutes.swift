import FoundationEssentials
package import Hummingbird
import Registry
import Signing

/// Tokens over HTTP; `longshore-origin token` does the same.
///
/// | request                                  | who                                  | answer                              |
/// |------------------------------------------|--------------------------------------|-------------------------------------|
/// | `POST /api/v1/tokens` with `Creation`    | `admin` in all that is granted       | 201, the token and its `secret`     |
/// | `GET /api/v1/tokens`                     | any token: its user's; admin: all    | `{"tokens":[…]}`, no secrets        |
/// | `DELETE /api/v1/tokens/{id}`             | its user, or an admin of everything  | `{"ok":true}`, when edges know it   |
/// | `GET /api/v1/whoami`                     | any token                            | login, token and grants             |
package struct TokenRoutes: Sendable {
    let tokens: TokenStore
    let wait: EdgeWait
    let notes: AccessNotes

    package init(tokens: TokenStore, wait: EdgeWait, notes: AccessNotes) {
        self.tokens = tokens
        self.wait = wait
        self.notes = notes
    }

    /// Adds the slice's routes; each stands in `Route.all`.
    package func add(to router: some RouterMethods<OriginContext>) {
        router.post("/api/v1/tokens") { request, context in try await create(request, context) }
        router.get("/api/v1/tokens") { _, context in try await list(context) }
        router.delete("/api/v1/tokens/:id") { _, context in try await revoke(context) }
        router.get("/api/v1/whoami") { _, context in try whoami(context) }
    }

    /// `{"login":"ann","name":"ci","grants":[{"actions":["read"],"repositories":["main"],"crates":["*"]}],"expires_in":86400}`
    private struct Creation: Decodable {
        /// Nil: the asking user's own.
        let login: String?
        let name: String
        let grants: [Grant]
        /// Seconds; nil for a token without an end.
        let expires_in: Int?
    }

    private struct Created: Encodable {
        let token: TokenRecord
        /// Shown here and never again.
        let secret: String
    }

    private struct List: Encodable { let tokens: [TokenRecord] }

    private struct Whoami: Encodable {
        struct Token: Encodable {
            let id: Int64
            let name: String
            /// Seconds since 1970.
            let expires: Int?
        }

        let login: String
        let id: Int32
        let token: Token
        let grants: [Grant]
    }

    private func create(_ request: Request, _ context: OriginContext) async throws -> Response {
        let holder = try context.principal.requireToken()
        let asked = try await request.decode(as: Creation.self, context: context)
        let wanted = try TokenRequest(
            login: asked.login ?? holder.login, name: asked.name, grants: asked.grants, secondsToLive: asked.expires_in)
        try wanted.checkWithin(holder, now: Int(Date.now.timeIntervalSince1970))
        let made = try await tokens.create(wanted, by: Actor(holder))
        return try .json(Created(token: made.record, secret: made.secret.text), status: .created)
    }

    private func list(_ context: OriginContext) async throws -> Response {
        let holder = try context.principal.requireToken()
        let isAdmin = Permission.adminVerdict(context.principal, of: nil) == .allowed
        return try .json(List(tokens: try await tokens.list(login: isAdmin ? nil : holder.login)))
    }

    private func revoke(_ context: OriginContext) async throws -> Response {
        let holder = try context.principal.requireToken()
        guard let id = Int64(try context.parameters.require("id")) else {
            throw Refusal.badRequest("a token's id is a number; `GET /api/v1/tokens` lists them")
        }
        let isAdmin = Permission.adminVerdict(context.principal, of: nil) == .allowed
        guard let record = try await tokens.find(id: id), isAdmin || record.login == holder.login else {
            throw Refusal.notFound("`\(holder.login)` has no token with the id \(id); `GET /api/v1/tokens` lists them")
        }
        if let position = try await tokens.revoke(id: id, by: Actor(holder)) { await wait.waitForEdges(position) }
        return try .json(["ok": true])
    }

    private func whoami(_ context: OriginContext) throws -> Response {
        let holder = try context.principal.requireToken()
        notes.login(holder)
        return try .json(
            Whoami(
                login: holder.login, id: holder.userID,
                token: .init(id: holder.tokenID, name: holder.tokenName, expires: holder.expires),
                grants: holder.grants))
    }
}

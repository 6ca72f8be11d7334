import FoundationEssentials
import Hosting
import Hummingbird
package import Logging
package import Postgres
import Registry
import ServiceLifecycle
import Synchronization

/// Notes logins and refused access, and records what came together every ten seconds.
///
/// A replica that is killed forgets what it noted since; one that stops in order records it first.
package final class AccessNotes: Service {
    static let window: Duration = .seconds(10)

    private let pool: PostgresPool
    private let logger: Logger
    private let book = Mutex(AccessBook())
    private let audit = AuditStore()

    package init(pool: PostgresPool, logger: Logger) {
        self.pool = pool
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.window)) != nil { await self.tell() }
        }
        await tell()
    }

    /// Records what was noted so far; if the database is away it is noted again.
    func flush() async throws {
        let sums = book.withLock { $0.take() }
        guard !sums.isEmpty else { return }
        do {
            try await pool.withTransaction { transaction in
                for (key, sum) in sums {
                    try await audit.record(
                        Self.entry(key, sum), from: RequestSource(address: key.address, request: sum.request),
                        in: transaction)
                }
            }
        } catch {
            book.withLock { $0.putBack(sums) }
            throw error
        }
    }

    /// Somebody was let in and said who they are.
    func login(_ holder: TokenHolder, edge: String? = nil) {
        let source = RequestSource.current
        let key = AccessBook.Key(
            action: "login", actor: holder.login, token: holder.tokenID,
            address: edge == nil ? source.address : nil, edge: edge)
        note(.init(key: key, at: Self.now, request: source.request))
    }

    /// An edge asked about a token that is not, or no longer, good, and does not tell of it itself.
    func refusedAtEdge(_ edge: EdgeHolder, _ rejection: Principal.Rejection, _ record: TokenRecord?) {
        let key = AccessBook.Key(
            action: "access.refused", actor: record?.login ?? "bad token", token: record?.id, rule: rejection.rule,
            edge: edge.name)
        note(.init(key: key, at: Self.now, request: RequestSource.current.request))
    }

    fileprivate func refused(_ refusal: Refusal, _ request: Request, _ context: OriginContext) {
        let source = RequestSource.current
        let repository = context.parameters.get("repository").flatMap { try? RepositoryName($0) }
        var key = AccessBook.Key(
            refused: context.principal, address: source.address, repository: repository?.description)
        if let withheld = refusal.withheld {
            // An edge asks for somebody, and tells who that was.
            if case .edge = context.principal { return }
            key.rule = withheld.rule ?? AccessRefusal.Rule.policy
            (key.crate, key.version) = (withheld.crate, withheld.version.description)
        }
        note(
            .init(
                key: key, at: Self.now, request: source.request,
                path: "\(request.method) \(Redaction.mask(String(request.uri.path.prefix(200))))",
                reason: String(refusal.detail.prefix(300))))
    }

    private func note(_ event: AccessBook.Event) { book.withLock { $0.note(event) } }

    private func tell() async {
        do { try await flush() } catch {
            logger.error("logins and refused access could not be recorded", metadata: ["error": "\(error)"])
        }
    }

    private static var now: Int { Int(Date.now.timeIntervalSince1970) }

    private static func entry(_ key: AccessBook.Key, _ sum: AccessBook.Sum) throws -> AuditEntry {
        var detail = ["count": "\(sum.count)"]
        detail["first"] = Pubtime(secondsSince1970: Int64(sum.first))?.description
        detail["last"] = Pubtime(secondsSince1970: Int64(sum.last))?.description
        detail["edge"] = key.edge
        detail["path"] = sum.path
        detail["reason"] = sum.reason
        return AuditEntry(
            actor: key.actor, tokenID: key.token, action: key.action,
            repository: try key.repository.map { try RepositoryName($0) }, crate: key.crate, version: key.version,
            rule: key.rule, detail: detail)
    }
}

/// Middleware, inside of `Authenticate`: notes each 401 and 403.
struct NoteRefusals: RouterMiddleware {
    let notes: AccessNotes

    func handle(
        _ request: Request, context: OriginContext, next: (Request, OriginContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let refusal as Refusal where [.unauthorized, .forbidden].contains(refusal.status) {
            notes.refused(refusal, request, context)
            throw refusal
        }
    }
}

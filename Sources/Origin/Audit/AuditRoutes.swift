import FoundationEssentials
import Hummingbird
import NIOCore
import Registry

/// The audit log over HTTP, for administrators; `longshore-origin audit list` does the same.
///
/// | request                                                                        | answer                         |
/// |--------------------------------------------------------------------------------|--------------------------------|
/// | `GET /api/v1/audit?repository=&crate=&version=&actor=&token=&action=&since=&until=&after=&before=&limit=` | `{"lines":[…],"next":SEQ}` |
///
/// Lines are those of an export (`AuditLine`). The newest comes first, with `before` for the next page; with `after` the
/// oldest, and `after` for the next page. `next` is the number to go on with; null on the last page.
struct AuditRoutes: Sendable {
    let trail: AuditTrail

    /// Adds the slice's routes; each stands in `Route.all`.
    func add(to router: some RouterMethods<OriginContext>) {
        router.get("/api/v1/audit") { request, context in try await list(request, context) }
    }

    private func list(_ request: Request, _ context: OriginContext) async throws -> Response {
        try context.principal.requireAdmin(nil)
        let filter = try Self.filter(request)
        let lines = try await trail.list(filter)
        let next = lines.count == filter.limit ? lines.last.map { "\($0.seq)" } : nil
        // The lines as they are exported, byte for byte, so that their hashes can be checked.
        let text = "{\"lines\":[\(lines.map(\.json).joined(separator: ","))],\"next\":\(next ?? "null")}"
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    private static let questions = [
        "repository", "crate", "version", "actor", "token", "action", "since", "until", "after", "before", "limit",
    ]

    private static func filter(_ request: Request) throws -> AuditFilter {
        let asked = request.uri.queryParameters
        // A filter that is misspelled would let everything through.
        for (name, _) in asked where !questions.contains(String(name)) {
            throw Refusal.badRequest("there is no `\(name)` to ask for; there are \(questions.joined(separator: ", "))")
        }
        func text(_ name: Substring) -> String? { asked[name].map(String.init) }
        func number(_ name: Substring, _ range: ClosedRange<Int64>) throws -> Int64? {
            guard let text = text(name) else { return nil }
            guard let number = Int64(text), range.contains(number) else {
                throw Refusal.badRequest("`\(name)` takes a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
        func time(_ name: Substring) throws -> AuditTime? {
            guard let text = text(name) else { return nil }
            guard let time = AuditTime(text, now: Int(Date.now.timeIntervalSince1970)) else {
                throw Refusal.badRequest("`\(name)` takes a time such as 2026-11-25, 2026-11-25T08:18:06Z or 36h")
            }
            return time
        }
        var filter = AuditFilter()
        filter.repository = text("repository")
        filter.crate = try text("crate").map { try CrateName($0) }
        filter.version = text("version")
        filter.actor = text("actor")
        filter.token = try number("token", 1...Int64.max)
        filter.action = text("action")
        filter.since = try time("since")
        filter.until = try time("until")
        filter.after = try number("after", 0...Int64.max)
        filter.before = try number("before", 1...Int64.max)
        filter.limit = Int(try number("limit", 1...Int64(AuditFilter.limitMax)) ?? Int64(filter.limit))
        if let problem = filter.problem { throw Refusal.badRequest(problem) }
        return filter
    }
}

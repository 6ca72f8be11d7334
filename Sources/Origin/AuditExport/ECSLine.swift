import FoundationEssentials
import Hosting

/// A line of the audit log in the Elastic Common Schema, version 8.17.
///
/// | field of ECS | from |
/// |---|---|
/// | `@timestamp` | `at` |
/// | `event.kind`, `event.module`, `event.dataset` | `event`, `longshore`, `longshore.audit` |
/// | `event.action`, `event.sequence`, `event.hash` | `action`, `seq`, `hash` |
/// | `event.category`, `event.type`, `event.outcome` | by `action`, see `Meaning` |
/// | `event.reason` | what the line says of why: `reason` or `because` of its detail |
/// | `user.name` | `actor`, if it is a login; the origin, the command line and nobody are no users |
/// | `source.address`, `source.ip` | `address`; `ip` only if it is one |
/// | `http.request.id`, `rule.name` | `request`, `rule` |
/// | `package.name`, `package.version`, `package.type` | `crate`, `version`, `crate` (the kind of file, as ECS wants it) |
/// | `longshore.actor`, `longshore.token_id`, `longshore.repository`, `longshore.prev`, `longshore.detail.*` | the rest |
struct ECSLine: Encodable {
    static let version = "8.17.0"

    /// What kind of event an action is, in ECS's own words.
    struct Meaning: Hashable {
        var category: [String]
        var type: [String]
        var outcome = "success"

        init(_ category: String, _ type: String...) {
            self.category = [category]
            self.type = type
        }

        /// Actions that are not listed change the configuration.
        init(action: String) {
            switch action {
            case "publish", "publish-new", "import", "yank", "unyank", "policy.decide", "policy.release",
                "upstream.change", "upstream.gone":
                self.init("package", "change")
            case "upstream.refused":
                self.init("package", "info")
                outcome = "failure"
            case PullSeal.action, "url.create": self.init("package", "access")
            case "owner.add", "owner.remove": self.init("iam", "change", "group")
            case "token.create": self.init("iam", "creation")
            case "token.revoke": self.init("iam", "deletion")
            case "login": self.init("authentication", "start")
            case "access.refused":
                self.init("api", "access", "denied")
                outcome = "failure"
            case _ where action.hasSuffix(".create") || action.hasSuffix(".make") || action.hasSuffix(".add"):
                self.init("configuration", "creation")
            case _
            where action.hasSuffix(".delete") || action.hasSuffix(".revoke") || action.hasSuffix(".retire")
                || action.hasSuffix(".remove"):
                self.init("configuration", "deletion")
            default: self.init("configuration", "change")
            }
        }
    }

    private struct ECS: Encodable { let version: String }
    private struct Named: Encodable { let name: String }
    private struct HTTP: Encodable {
        struct Request: Encodable { let id: String }
        let request: Request
    }
    private struct Source: Encodable {
        let address: String
        let ip: String?
    }
    private struct Package: Encodable {
        let name: String
        let version: String?
        let type: String
    }
    private struct Event: Encodable {
        let kind = "event"
        let module = "longshore"
        let dataset = "longshore.audit"
        let action: String
        let sequence: Int64
        let hash: String
        let category: [String]
        let type: [String]
        let outcome: String
        let reason: String?
    }
    private struct Own: Encodable {
        let actor: String
        let token_id: Int64?
        let repository: String?
        let prev: String
        let detail: [String: String]?
    }

    private let timestamp: String
    private let ecs: ECS
    private let event: Event
    private let user: Named?
    private let source: Source?
    private let http: HTTP?
    private let rule: Named?
    private let package: Package?
    private let longshore: Own

    private enum CodingKeys: String, CodingKey {
        case timestamp = "@timestamp"
        case ecs, event, user, source, http, rule, package, longshore
    }

    init(_ line: AuditLine) {
        let meaning = Meaning(action: line.action)
        timestamp = line.at
        ecs = ECS(version: Self.version)
        event = Event(
            action: line.action, sequence: line.seq, hash: line.hash, category: meaning.category, type: meaning.type,
            outcome: meaning.outcome, reason: line.detail["reason"] ?? line.detail["because"])
        user = Actor.isLogin(line.actor) ? Named(name: line.actor) : nil
        source = line.address.map { Source(address: $0, ip: IPAddress.isOne($0) ? $0 : nil) }
        http = line.request.map { HTTP(request: .init(id: $0)) }
        rule = line.rule.map { Named(name: $0) }
        package = line.crate.map { Package(name: $0, version: line.version, type: "crate") }
        longshore = Own(
            actor: line.actor, token_id: line.token, repository: line.repository, prev: line.prev,
            detail: line.detail.isEmpty ? nil : line.detail)
    }
}

/// The actions that lines of the audit log name: for those who choose some, and may misspell them.
enum AuditActions {
    static let all = [
        "publish", "publish-new", "import", "yank", "unyank", "owner.add", "owner.remove",
        "login", "access.refused", "token.create", "token.revoke",
        "repository.create", "repository.set", "repository.delete", "repository.renew",
        "upstream.add", "upstream.set", "upstream.credential", "upstream.remove", "upstream.reserve",
        "upstream.change", "upstream.gone", "upstream.refused",
        "policy.set", "policy.remove", "policy.decide", "policy.release", "lock-file.put", "lock-file.remove",
        "advisories.sync", "downloads.seal", "url.create", "key.make", "key.rotate", "key.retire",
        "edge.create", "edge.revoke", "webhook.add", "webhook.remove", "webhook.retry",
        "audit.key", "audit.archive", "audit.export.forget",
    ]

    /// What is wrong with a choice such as `publish`, `token.*` or `*`; nil: it fits some action.
    static func problem(_ pattern: String) -> String? {
        guard !all.contains(where: { Webhook.matches(pattern, $0) }) else { return nil }
        let kind = pattern.prefix { $0 != "." && $0 != "-" && $0 != "*" }
        let near = all.filter { !kind.isEmpty && $0.hasPrefix(kind) }
        return "no action is called `\(pattern)`; there are \((near.isEmpty ? all : near).joined(separator: ", "))"
    }
}

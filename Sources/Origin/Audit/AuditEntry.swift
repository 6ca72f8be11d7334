package import Registry

/// One line of the audit log before it has its place there: who did what to what.
///
/// When, from where and in which request is added as it is recorded.
package struct AuditEntry: Hashable, Sendable {
    /// A login, `command line` or `edge NAME`.
    package let actor: String
    package let tokenID: Int64?
    /// A verb with its object, like `publish`, `yank`, `token.create`, `repository.delete`.
    package let action: String
    package let repository: RepositoryName?
    package let crate: CrateName?
    package let version: String?
    /// The rule that decided, by its name: of a policy, or why access was refused.
    package let rule: String?
    /// What else is worth knowing; flat, small, never a secret.
    package let detail: [String: String]

    package init(
        actor: String, tokenID: Int64? = nil, action: String, repository: RepositoryName? = nil,
        crate: CrateName? = nil, version: String? = nil, rule: String? = nil, detail: [String: String] = [:]
    ) {
        self.actor = actor
        self.tokenID = tokenID
        self.action = action
        self.repository = repository
        self.crate = crate
        self.version = version
        self.rule = rule
        self.detail = detail
    }
}

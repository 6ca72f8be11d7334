import Registry

/// May this request read? Pure, and decided before any look-up of content.
///
/// | repository | credential                         | verdict             | case     |
/// |------------|------------------------------------|---------------------|----------|
/// | public     | any, even a wrong one              | open                |          |
/// | private    | none, malformed, unknown, expired  | 401 with challenge  | D1, D5   |
/// | private    | known, its grants do not cover it  | 403                 | D4, D17  |
/// | private    | known, covered                     | open                | D2       |
/// | private    | can't be asked about               | 503                 |          |
///
/// The texts are those of the origin: cause, then next step.
enum AccessGate: Equatable {
    case open
    /// 401: `text` says why, `rule` in one word for the audit log.
    case challenge(String, rule: String)
    /// 403: `text` says what is missing.
    case forbidden(String)

    /// - Parameters:
    ///   - verdict: nil if the origin knows no such token.
    ///   - now: seconds since 1970.
    init(
        _ verdict: TokenVerdict?, _ repository: RepositoryName, at now: Int, of crate: () -> CrateName?
    ) {
        guard let verdict else {
            self = .challenge(
                "this registry does not know the token; ask an administrator for a new one, then run `cargo login`",
                rule: AccessRefusal.Rule.tokenUnknown)
            return
        }
        guard !verdict.isExpired(at: now) else {
            self = .challenge(
                "the token has expired; ask an administrator for a new one, then run `cargo login`",
                rule: AccessRefusal.Rule.tokenExpired)
            return
        }
        guard verdict.mayRead(repository, crate) else {
            self = .forbidden(
                "the token does not allow `read` in repository `\(repository)`; an administrator can make one that "
                    + "does: `longshore-origin token create --action read --repository \(repository)`")
            return
        }
        self = .open
    }

    static let missingToken = AccessGate.challenge(
        "this needs a token and the request carries none; ask an administrator of this registry for one, "
            + "then run `cargo login`", rule: AccessRefusal.Rule.noToken)

    static let malformedToken = AccessGate.challenge(
        "the token is not one of this registry: it must begin with `lsh_t` and be complete; copy it again, "
            + "then run `cargo login`", rule: AccessRefusal.Rule.tokenMalformed)
}

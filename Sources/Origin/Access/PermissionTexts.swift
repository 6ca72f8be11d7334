import Hummingbird
import Registry

/// What each verdict says to the person who ran the command: the cause and the next step, one sentence each.
extension Permission {
    /// - Precondition: the verdict is not `allowed`.
    package var refusal: Refusal {
        switch self {
        case .allowed:
            preconditionFailure("only a verdict that refuses becomes a refusal")
        case .missingToken:
            Refusal(
                .unauthorized,
                "this needs a token and the request carries none; ask an administrator of this registry for one, "
                    + "then run `cargo login`")
        case .rejected(let why):
            Refusal(.unauthorized, why.text)
        case .missingGrant(let login, let action, let repository, let crate):
            Refusal(.forbidden, Self.missing(login, action, repository, crate))
        case .edgeCredential:
            Refusal(
                .forbidden,
                "this is an edge's credential, which is good for the addresses below /edge/v1/ only; use a user's token"
            )
        case .notAnEdge:
            Refusal(
                .forbidden,
                "only edges may ask here: use a credential made by `longshore-origin edge create`, not a user's token")
        }
    }

    private static func missing(
        _ login: String, _ action: Action, _ repository: RepositoryName?, _ crate: CrateName?
    ) -> String {
        let place = repository.map { "in repository `\($0)`" } ?? "for every repository"
        let object = crate.map { " for crate `\($0.spelling)`" } ?? ""
        let flag = repository.map { " --repository \($0)" } ?? ""
        return
            "the token of `\(login)` does not allow `\(action.rawValue)`\(object) \(place); an administrator can make "
            + "one that does: `longshore-origin token create --login \(login) --action \(action.rawValue)\(flag)`"
    }
}

extension Principal.Rejection {
    fileprivate var text: String {
        switch self {
        case .malformed:
            "the token is not one of this registry: it must begin with `lsh_t` and be complete; copy it again, "
                + "then run `cargo login`"
        case .unknownScheme(let scheme):
            "`Authorization: \(scheme) …` is not understood here; send the bare token, `Bearer` or `Basic` with the "
                + "token as password"
        case .unknown:
            "this registry does not know the token; ask an administrator for a new one, then run `cargo login`"
        case .expired:
            "the token has expired; ask an administrator for a new one, then run `cargo login`"
        case .revoked:
            "the token was revoked; ask an administrator for a new one, then run `cargo login`"
        }
    }
}

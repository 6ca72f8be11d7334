import ArgumentParser
import Registry
import Signing

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Creates, lists and revokes tokens.",
        discussion: """
            A token lets its holder do some actions, in some repositories, on some crates, until it expires.

              longshore-origin token create --login ann --name laptop --action publish-new --action publish-update
              longshore-origin token create --login ci --name builds --action read --repository secret --expires 90d
              longshore-origin token create --login root --name first --action admin
              longshore-origin token revoke 17

            Actions: \(Action.allCases.map(\.rawValue).joined(separator: ", ")). `admin` includes all others.
            The secret is printed once, alone on standard output; the database keeps its hash only.
            """,
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Creates a token and prints its secret, once.")
        @Option(help: "Whose token it is; the user is made if new.") var login: String
        @Option(help: "What to call it, so that you know it again.") var name = "token"
        @Option(name: .customLong("action"), help: "What it allows; may be repeated. Unset: read.")
        var actions: [Action] = []
        @Option(name: .customLong("repository"), help: "Where; may be repeated. Unset: in every repository.")
        var repositories: [RepositoryName] = []
        @Option(help: "On which crates: a name or a prefix with `*`; may be repeated. Unset: all.")
        var crates: [CratePattern] = []
        @Option(help: "When it ends: 12h, 90d, 52w. Unset: never.") var expires: Lifetime?
        @Flag(help: "Prints JSON: the token and its secret.") var json = false
        @OptionGroup var database: DatabaseOptions

        private struct Made: Encodable {
            let token: TokenRecord
            let secret: String
        }

        func run() async throws {
            let grant = Grant(
                actions: Set(actions.isEmpty ? [.read] : actions),
                repositories: repositories.isEmpty ? nil : Set(repositories),
                crates: crates.isEmpty ? [.everything] : crates)
            try await database.with { slices, _ in
                let request = try TokenRequest(
                    login: login, name: name, grants: [grant], secondsToLive: expires?.seconds)
                let made = try await slices.tokens.create(request, by: .commandLine)
                if json { return print(try CommandOutput.json(Made(token: made.record, secret: made.secret.text))) }
                CommandOutput.note("token \(made.record.id) of \(login): \(grant.summary). It is shown only now:")
                print(made.secret.text)
                for name in repositories where try await slices.repositories.find(name) == nil {
                    CommandOutput.note("note: there is no repository `\(name)` yet")
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists tokens, without secrets.")
        @Option(help: "Only this user's.") var login: String?
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, _ in
                let tokens = try await slices.tokens.list(login: login)
                if json { return print(try CommandOutput.json(tokens)) }
                let rows = tokens.map { token in
                    [
                        String(token.id), token.login, token.name, token.state,
                        token.grants.map(\.summary).joined(separator: "; "),
                    ]
                }
                print(CommandOutput.table(["ID", "LOGIN", "NAME", "STATE", "GRANTS"], rows))
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revokes a token for good; connected edges know it within a second.")
        @Argument(help: "The id, from `token list`.") var id: Int64
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, _ in
                let position = try await slices.tokens.revoke(id: id, by: .commandLine)
                print(position == nil ? "token \(id) was revoked before" : "revoked token \(id)")
            }
        }
    }
}

extension TokenRecord {
    fileprivate var state: String {
        if revoked != nil { return "revoked" }
        if isExpired { return "expired" }
        return expires.map { "until \($0)" } ?? "valid"
    }
}

/// `90s`, `15m`, `12h`, `90d`, `52w`.
struct Lifetime: ExpressibleByArgument {
    let seconds: Int

    init?(argument: String) {
        let factors: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400]
        guard let unit = argument.last, let factor = factors[unit], let number = Int(argument.dropLast()), number > 0
        else { return nil }
        let (seconds, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        self.seconds = seconds
    }
}

extension Action: ExpressibleByArgument {}

extension CratePattern: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}

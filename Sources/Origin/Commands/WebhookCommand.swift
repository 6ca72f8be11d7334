import ArgumentParser
import Crypto
import FoundationEssentials
import Signing

struct WebhookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhook",
        abstract: "Tells addresses outside of chosen actions, signed and until they have heard.",
        discussion: """
              longshore-origin webhook add chat https://hooks.example/longshore --action publish --action 'token.*'
              longshore-origin webhook list
              longshore-origin webhook dead chat
              longshore-origin webhook retry chat

            Each message is a line of the audit log, as `audit list --json` prints it, with `longshore-signature`:
            t=SECONDS,v1=HMAC-SHA256 in hex over `SECONDS.BODY` with the secret that `add` prints once. Failures are
            tried again for two and a half hours; what the other side refuses for good is a dead letter at once.
            """,
        subcommands: [Add.self, List.self, Remove.self, Dead.self, Retry.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Adds one; its secret is printed once.")
        @Argument(help: "Letters, digits, `-` and `_`.") var name: String
        @Argument(help: "An https address that takes POSTs.") var url: String
        @Option(help: "publish, token.*, or * for all, as in the audit log; may be given more than once.") var action:
            [String] = []
        @Option(help: "A file that holds the secret, if it is not to be made here.") var secretFile: String?
        @Flag(help: "The address may be in a private network, and plain http.") var allowPrivate = false
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            for one in action { if let problem = AuditActions.problem(one) { throw ValidationError(problem) } }
        }

        func run() async throws {
            let secret = try secretFile.map(Self.read) ?? Self.make()
            try await database.with { slices, config in
                try await slices.webhooks.add(
                    name: name, url: url, actions: action, allowsPrivate: allowPrivate, secret: Array(secret.utf8),
                    try SigningSecret.findOrMake(config), by: .commandLine)
            }
            guard secretFile == nil else { return CommandOutput.note("added the webhook \(name)") }
            CommandOutput.note("the secret of webhook \(name); it is shown only now:")
            print(secret)
        }

        private static func make() -> String {
            "whs_" + SymmetricKey(size: .bits256).withUnsafeBytes { Base64URL.text(Array($0)) }
        }

        private static func read(_ path: String) throws -> String {
            let text = FileManager.default.contents(atPath: path).map {
                String(decoding: $0.prefix(4096), as: UTF8.self).filter { !$0.isWhitespace }
            }
            guard let text, text.utf8.count >= 20 else {
                throw ValidationError("\(path) can't be read, or holds less than 20 characters")
            }
            return text
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists them, with what waits, what is dead, and why.")
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let all = try await database.with { slices, _ in try await slices.webhooks.list() }
            if json { return print(try CommandOutput.json(all)) }
            let rows = all.map { hook in
                [
                    hook.name, "\(hook.waiting)", "\(hook.dead)", hook.actions.joined(separator: ", "), hook.url,
                    hook.error ?? "-",
                ]
            }
            print(CommandOutput.table(["NAME", "WAITING", "DEAD", "ACTIONS", "URL", "LAST ERROR"], rows))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Removes one with all that waits for it.")
        @Argument var name: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, _ in try await slices.webhooks.remove(name, by: .commandLine) }
            print("removed the webhook \(name)")
        }
    }

    struct Dead: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists what could not be told, the latest first.")
        @Argument(help: "Only of this webhook.") var name: String?
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let letters = try await database.with { slices, _ in try await slices.webhooks.dead(name) }
            if json { return print(try CommandOutput.json(letters)) }
            let rows = letters.map { [$0.webhook, "\($0.seq)", $0.since, "\($0.attempts)", $0.error] }
            print(CommandOutput.table(["WEBHOOK", "LINE", "SINCE", "TRIES", "ERROR"], rows))
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Gives dead letters another round of tries.")
        @Argument var name: String
        @Option(help: "Only this line of the log.") var line: Int64?
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let count = try await database.with { slices, _ in
                try await slices.webhooks.retry(name, seq: line, by: .commandLine)
            }
            print("\(count) dead \(count == 1 ? "letter is" : "letters are") tried again")
        }
    }
}

import ArgumentParser
import Facts
import FoundationEssentials
import PolicyRules

struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Rules about which versions of a repository may be used.",
        discussion: """
            Rules are one TOML file, kept like code; docs/POLICY.md describes it. `check` and `test` need no server.

              longshore-origin policy check rules/policy.toml
              longshore-origin policy test rules/
              longshore-origin policy dry-run main rules/policy.toml --lock Cargo.lock
              longshore-origin policy set main rules/policy.toml
              longshore-origin policy list main --decision quarantine
              longshore-origin policy explain main smallvec@1.6.0
              longshore-origin policy reach main smallvec@1.6.0
              longshore-origin policy release main smallvec@1.6.0 --reason "read it, see SEC-118"
            """,
        subcommands: [
            PolicyCheckCommand.self, PolicyTestCommand.self, PolicyDryRunCommand.self, PolicySetCommand.self,
            PolicyShowCommand.self, PolicyListCommand.self, PolicyExplainCommand.self, PolicyReachCommand.self,
            PolicyReleaseCommand.self, PolicyRemoveCommand.self,
        ])
}

struct PolicyCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads a policy file as strictly as the server does; the exit code tells.")

    @Argument(help: "The policy file.") var file: String

    func run() throws {
        let policy = try PolicySource.policy(file)
        let today = Int(Date.now.timeIntervalSince1970)
        for exception in policy.exceptions where exception.expires <= today {
            CommandOutput.note("the exception of \(exception.owner) for `\(exception.crate)` has ended; it can go")
        }
        print("\(file): \(policy.rules.count) rules, \(policy.exceptions.count) exceptions")
    }
}

struct PolicyTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Holds a policy against the cases beside it; the exit code tells.",
        discussion: """
            FOLDER holds policy.toml and, in other .toml files, cases:

              [[case]]
              name = "a critical hole is blocked"
              version = { name = "foo", version = "1.0.0", advisories = [{ id = "A-1", vector = "CVSS:3.1/…" }] }
              expect = "block"
              rule = "critical"

            Exit code: 0 all cases pass, 1 some don't (one line each).
            """)

    @Argument(help: "The folder.") var folder: String

    func run() throws {
        let book = RuleBook(try PolicySource.policy(folder + "/policy.toml"))
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            .filter { $0.hasSuffix(".toml") && $0 != "policy.toml" }
        guard !files.isEmpty else {
            throw ValidationError("\(folder) has no file with cases beside policy.toml; `policy test --help` shows one")
        }
        var (passed, failed) = (0, 0)
        for file in files {
            let cases = try PolicySource.read(folder + "/" + file) { text throws(PolicyFile.Invalid) in
                try PolicyCase.read(text)
            }
            for one in cases {
                if let objection = one.objection(to: book.judge(one.facts, at: one.now)) {
                    failed += 1
                    print("\(file): \(one.name): \(objection)")
                } else {
                    passed += 1
                }
            }
        }
        print("\(passed) cases passed, \(failed) failed")
        if failed > 0 { throw ExitCode(1) }
    }
}

/// Policy files on disk, for commands.
enum PolicySource {
    private static let bytesMax = PolicyStore.bytesMax

    static func policy(_ path: String) throws -> PolicyFile {
        try read(path) { text throws(PolicyFile.Invalid) in try PolicyFile(parsing: text) }
    }

    static func read<Value, Problem: Error>(
        _ path: String, _ parse: (String) throws(Problem) -> Value
    ) throws -> Value {
        let text = try text(path)
        do throws(Problem) {
            return try parse(text)
        } catch {
            throw ValidationError("\(path): \(error)")
        }
    }

    static func text(_ path: String) throws -> String {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw ValidationError("\(path) can't be read: is it there, and may you read it?")
        }
        guard bytes.count <= bytesMax else { throw ValidationError("\(path) has more than \(bytesMax >> 20) MiB") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw ValidationError("\(path) is not UTF-8") }
        return text
    }
}

import ArgumentParser
import Facts
import FoundationEssentials
import PolicyRules
import Registry

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
        commandName: "check", abstract: "Reads a policy file as strictly as the server does; the exit code tells.",
        discussion: """
            What can be meant, but is likely a slip, is told on standard error and is no error: a licence that no list
            knows, an exception that has ended.

            Exit code: 0 the server takes it, 1 it does not.
            """)

    @Argument(help: "The policy file.") var file: String

    func run() throws {
        let policy = try PolicySource.policy(file)
        PolicySource.tell(policy, of: file)
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
        guard FileKind.isFolder(folder) else {
            throw CommandFailure("\(folder) is no folder: name the one with policy.toml and its cases")
        }
        let book = RuleBook(try PolicySource.policy(folder + "/policy.toml"))
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            .filter { $0.hasSuffix(".toml") && $0 != "policy.toml" }
        guard !files.isEmpty else {
            throw CommandFailure("\(folder) has no file with cases beside policy.toml; `policy test --help` shows one")
        }
        var (passed, failed) = (0, 0)
        for file in files {
            let cases = try InputFile.parsed(folder + "/" + file, bytesMax: PolicyStore.bytesMax) {
                text throws(PolicyFile.Invalid) in try PolicyCase.read(text)
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
    static func policy(_ path: String) throws -> PolicyFile { try parsed(path, text(path)) }

    /// A text that was read from `path`.
    static func parsed(_ path: String, _ text: String) throws -> PolicyFile {
        do { return try PolicyFile(parsing: text) } catch { throw CommandFailure("\(path): \(error)") }
    }

    static func text(_ path: String) throws -> String { try InputFile.text(path, bytesMax: PolicyStore.bytesMax) }

    /// Says on standard error what of the rules can be meant, but hardly is.
    ///
    /// - Parameter place: where they are to be in force; nil: nobody knows.
    static func tell(_ policy: PolicyFile, of path: String, in place: PolicyPlace? = nil) {
        for remark in policy.remarks(at: Int(Date.now.timeIntervalSince1970), in: place) {
            CommandOutput.note("\(path): \(remark)")
        }
    }
}

extension OriginSlices {
    func place(of repository: Repository) async throws -> PolicyPlace {
        PolicyPlace(
            repository: repository.name, upstreams: try await upstreams.list(of: repository).map(\.name))
    }
}

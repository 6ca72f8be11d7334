import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import LoadTest

struct ScenarioTests {
    private static func made(_ text: String) throws -> Scenario { try Scenario(parsing: Array(text.utf8)) }

    @Test func `a scenario is a command line`() throws {
        let scenario = try Self.made(
            #"{"about": "x", "verb": "resolve", "options": {"users": 8, "home": "cold", "gzip": true, "share": ["a=1", "b=2"]}}"#
        )
        #expect(
            scenario.arguments(target: "http://a", others: ["--html", "f"]) == [
                "resolve", "http://a", "--users=8", "--home=cold", "--gzip", "--share=a=1", "--share=b=2", "--html",
                "f",
            ])
    }

    @Test(arguments: [
        (["--users", "3"], ["--home=cold", "--users", "3"]), (["--users=3"], ["--home=cold", "--users=3"]),
        (["--rate", "9"], ["--home=cold", "--rate", "9"]), (["--home", "warm"], ["--users=8", "--home", "warm"]),
    ])
    func `what stands on the command line takes the scenario's place`(others: [String], wanted: [String]) throws {
        let scenario = try Self.made(
            #"{"about": "x", "verb": "resolve", "options": {"users": 8, "home": "cold"}}"#)
        #expect(Array(scenario.arguments(target: "t", others: others).dropFirst(2)) == wanted)
    }

    @Test(arguments: [
        ("", "no JSON"), ("[]", "no JSON object"), (#"{"verb": "resolve", "options": {}}"#, "`about` is missing"),
        (#"{"about": "", "verb": "resolve"}"#, "`options` is missing"),
        (#"{"about": "", "verb": "resolve", "options": {}, "user": 3}"#, "the key `user`"),
        (#"{"about": "", "verb": "nearest", "options": {}}"#, "`nearest` is no verb"),
        (#"{"about": "", "verb": "run", "options": {}}"#, "`run` is no verb"),
        (#"{"about": "", "verb": "resolve", "options": {"--users": 3}}"#, "`--users` can't be"),
        (#"{"about": "", "verb": "resolve", "options": {"html": "f"}}"#, "`html` can't be"),
        (#"{"about": "", "verb": "resolve", "options": {"token-file": "f"}}"#, "`token-file` can't be"),
        (#"{"about": "", "verb": "resolve", "options": {"users": {}}}"#, "the value of `users`"),
        (#"{"about": "", "verb": "resolve", "options": {"gzip": false}}"#, "the value of `gzip`"),
        (#"{"about": "", "verb": "resolve", "options": {"users": 1, "users": 2}}"#, "a second time"),
    ])
    func `what is no scenario is refused with the reason`(text: String, reason: String) throws {
        let error = try #require(throws: Scenario.Invalid.self) { try Self.made(text) }
        #expect("\(error)".contains(reason))
    }

    @Test(arguments: [
        (#"{"format": 2, "verb": "requests", "sides": []}"#, "is of `requests`"),
        (#"{"format": 3, "verb": "resolve"}"#, "newer longshore-bench"), ("{}", "no `format` and `verb`"),
        ("no JSON", "no `format` and `verb`"),
    ])
    func `what is no report to show is refused with the reason`(text: String, reason: String) async throws {
        try await withTemporaryFolder("report") { folder in
            let path = "\(folder)/a.json"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let failure = try await #require(throws: BenchFailure.self) {
                try await ReportCommand.parse([path]).run()
            }
            #expect(failure.description.contains(reason))
            let folderFailure = #expect(throws: BenchFailure.self) { try ReportFile.checkWritable(folder) }
            #expect(folderFailure?.description.contains("is a folder") == true)
        }
    }

    @Test(arguments: ["closure", "fanout", "peers", "proxy", "scale", "wan"])
    func `a script's help is its head, and measures nothing`(name: String) async throws {
        let root = URL(filePath: #filePath).pathComponents.dropFirst().dropLast(4).joined(separator: "/")
        let run = try await runTool("bash", ["loadtests/measure-\(name)", "--help"], in: "/" + root)
        #expect(run.status == 0, "\(run.text)")
        #expect(run.output.contains("usage: ") && run.output.contains("loadtests/measure-\(name)"))
        #expect(run.output.count < 2_000 && run.errors.isEmpty)
    }

    @Test func `an option that the verb does not have is refused by name`() throws {
        let error = try #require(throws: BenchFailure.self) {
            try RunCommand.command(["cut", "http://a", "--usres=3"], path: "typo.json")
        }
        #expect(error.description.contains("typo.json"))
        #expect(error.description.contains("--usres"))
    }

    @Test(arguments: [
        ("index-h2", ["--paths", "paths"]), ("cold-resolve", ["--apps", "apps"]),
        ("warm-revalidate", ["--apps", "apps"]),
        ("ci-locked", ["--lock", "lock"]), ("mixed-team", ["--apps", "apps", "--fetch-lock", "lock"]),
    ])
    func `the scenarios that come with it are read`(name: String, files: [String]) throws {
        let path = #filePath.components(upTo: "Tests") + "loadtests/scenarios/\(name).json"
        let (_, scenario) = try RunCommand.read(path)
        #expect(!scenario.about.isEmpty)
        let known = Set(LoadTestCommand.configuration.subcommands.map { $0._commandName })
        #expect(known.contains(scenario.verb))
        _ = try RunCommand.command(
            scenario.arguments(target: "http://127.0.0.1:1", others: files), path: path)
    }
}

extension String {
    /// What stands before the last `word`.
    fileprivate func components(upTo word: String) -> String {
        var parts = split(separator: "/", omittingEmptySubsequences: false)
        while let last = parts.popLast(), last != word {}
        return parts.joined(separator: "/") + "/"
    }
}

import ArgumentParser
import FoundationEssentials

/// `longshore-bench run`: a scenario against a server.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a scenario: a verb and its options, from a file.",
        discussion: """
            A scenario is the path of a file, or the name of one in loadtests/scenarios:

              {"about": "what it asks", "verb": "fetch",
               "options": {"users": 8, "duration": "30s"}}

            Whatever the verb takes may follow, and takes the place of the scenario's own:

              longshore-bench run index-h2 --target https://edge.example/main/index \\
                  --token-file token --paths paths.txt
              longshore-bench run index-h2 --target http://127.0.0.1:8081/main/index \\
                  --paths paths.txt --compare http://127.0.0.1:8090/main/index --rounds 7 --seed 3
            """)

    /// A scenario is a few lines.
    static let bytesMax = 64 << 10

    @Argument(help: "The scenario's name, or the path of its file.") var scenario: String
    @Option(help: ArgumentHelp("The address that the verb takes.", valueName: "url")) var target: String
    @Argument(parsing: .allUnrecognized, help: ArgumentHelp("Options of the verb.", valueName: "option"))
    var others: [String] = []

    func run() async throws {
        let (path, scenario) = try Self.read(scenario)
        let arguments = scenario.arguments(target: target, others: others)
        Console.note("\(path): \(scenario.about)\nlongshore-bench \(arguments.joined(separator: " "))")
        var command = try Self.command(arguments, path: path)
        if var asynchronous = command as? any AsyncParsableCommand {
            try await asynchronous.run()
        } else {
            try command.run()
        }
    }

    /// - Throws: `BenchFailure` that names the file and says what the verb makes of its options.
    static func command(_ arguments: [String], path: String) throws(BenchFailure) -> any ParsableCommand {
        do { return try LoadTestCommand.parseAsRoot(arguments) } catch {
            throw BenchFailure(
                "`\(arguments.joined(separator: " "))`, from \(path), can't run: \(LoadTestCommand.message(for: error)); "
                    + "`longshore-bench \(arguments[0]) --help` lists what the verb takes")
        }
    }

    /// - Throws: `BenchFailure` that names the file.
    static func read(_ name: String) throws(BenchFailure) -> (path: String, scenario: Scenario) {
        let isPath = name.contains("/") || name.hasSuffix(".json")
        let path = isPath ? name : "loadtests/scenarios/\(name).json"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw BenchFailure(
                "\(path) can't be read; give a file's path, or run this where loadtests/scenarios lies and give one of "
                    + "its names")
        }
        guard data.count <= bytesMax else {
            throw BenchFailure("\(path) has more than \(bytesMax >> 10) KiB; it is no scenario")
        }
        do { return (path, try Scenario(parsing: Array(data))) } catch {
            throw BenchFailure("\(path) is no scenario: \(error)")
        }
    }
}

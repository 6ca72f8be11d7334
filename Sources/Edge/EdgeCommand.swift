package import ArgumentParser
import Hosting
import Logging

/// `longshore-edge`: serve (unless said otherwise), version.
package struct EdgeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "longshore-edge",
        abstract: "Serves a Longshore registry near its users from a local cache.",
        version: EdgeVersion.text,
        subcommands: [Serve.self, Version.self], defaultSubcommand: Serve.self)

    package init() {}

    /// Reads the command line, runs, and ends the process with its exit code.
    package static func runProgram() async { await main() }

    struct Version: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints the version.")

        func run() { print("longshore-edge \(EdgeVersion.text)") }
    }

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Serves clients until SIGTERM or SIGINT.", discussion: Settings.help(EdgeConfig.table))

        @Flag(help: "Prints what is in force, and stops.") var checkConfig = false
        @Argument(parsing: .allUnrecognized, help: .hidden) var settingFlags: [String] = []

        func run() async throws {
            let (settings, config) = try read()
            if checkConfig { return print(settings.describe()) }
            ServiceLog.bootstrap(settings)
            let status = await serve(settings, config)
            if status != .stopped { throw ExitCode(status.rawValue) }
        }

        private func read() throws -> (Settings, EdgeConfig) {
            do {
                let settings = try Settings(EdgeConfig.table, flags: settingFlags)
                return (settings, try EdgeConfig(settings))
            } catch let error as SettingsProblem {
                throw ValidationError(error.description)
            } catch let error as EdgeConfig.Problem {
                throw ValidationError(error.description)
            }
        }

        private func serve(_ settings: Settings, _ config: EdgeConfig) async -> ExitStatus {
            var logger = Logger(label: "edge")
            logger[metadataKey: "edge"] = "\(config.name)"
            for variable in settings.unknownVariables {
                logger.warning("no setting belongs to this variable", metadata: ["variable": "\(variable)"])
            }
            let app: EdgeApp
            do {
                try await config.address.checkIsFree(setting: "address")
                try await settings.address("management-address").checkIsFree(setting: "management-address")
                app = try EdgeApp(config, logger: logger)
            } catch {
                logger.error("\(Explanation.of(error))")
                return .failed
            }
            PrometheusMetrics.system.onRead { app.refreshGauges() }
            let management = ManagementServer(
                address: settings.address("management-address"), checks: app.readyChecks, logger: logger)
            return await runService(logger: logger, management: management, drainTimeMax: config.drainTimeMax) {
                app.services
            }
        }
    }
}

/// The version that this program says it is.
enum EdgeVersion {
    static let text = "0.1.0"
}

import ArgumentParser
import Hosting
import Logging

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the origin until it is told to stop (the default command).",
        discussion: """
            longshore-origin serve --data /var/lib/longshore --public-url https://crates.example
            longshore-origin serve --check-config

            \(Settings.help(OriginConfig.table))
            """)

    @Flag(help: "Prints what is in force, secrets hidden, and stops.") var checkConfig = false
    @Argument(parsing: .allUnrecognized, help: .hidden) var settingFlags: [String] = []

    func run() async throws {
        let (settings, config) = try CommandSettings.read(settingFlags)
        if let problem = config.problem { throw ValidationError(problem) }
        if checkConfig {
            print(settings.describe())
            return
        }
        ServiceLog.bootstrap(settings)
        let logger = Logger(label: "origin")
        for variable in settings.unknownVariables {
            logger.warning("the environment variable \(variable) is no setting; --help lists them all")
        }
        let status = await Self.serve(config, settings, logger)
        if status != .stopped { throw ExitCode(status.rawValue) }
    }

    private static func serve(_ config: OriginConfig, _ settings: Settings, _ logger: Logger) async -> ExitStatus {
        do {
            try await config.address.checkIsFree(setting: "address")
            try await settings.address("management-address").checkIsFree(setting: "management-address")
            try ServedAddress.remember(config)
        } catch {
            logger.error("\(Explanation.of(error))")
            return .failed
        }
        let app = OriginApp(config, logger: logger) { port in
            logger.notice(
                "the origin serves \(config.addresses.base)",
                metadata: ["host": "\(config.address.host)", "port": "\(port)"])
        }
        let management = ManagementServer(
            address: settings.address("management-address"), checks: app.checks, logger: logger)
        return await runService(
            logger: logger, management: management, drainTimeMax: config.shutdownTimeMax,
            start: { try await app.start() })
    }
}

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Brings the database's schema up to date; `serve` does it too.")

    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        let applied = try await database.migrate()
        print(applied.isEmpty ? "nothing to do" : applied.map { "applied \($0)" }.joined(separator: "\n"))
    }
}

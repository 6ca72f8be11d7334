package import Logging
package import ServiceLifecycle
import Synchronization
import UnixSignals

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// How a program ended, as its exit code; 64 is ArgumentParser's, for a wrong command line or setting.
package enum ExitStatus: Int32, Sendable {
    /// Stopped because it was asked to, and everything was finished in order.
    case stopped = 0
    /// Could not start, or a part failed; one sentence about it was logged.
    case failed = 1
    /// A second signal, or a shutdown that took too long: not everything was finished.
    case hurried = 3
}

/// Runs a program until it is told to stop: start in order, signals, drain, exit code.
///
/// | event                     | what happens                                                                      |
/// |---------------------------|-----------------------------------------------------------------------------------|
/// | `start` throws            | one sentence, `failed`; what it had made must clean up after itself               |
/// | SIGTERM or SIGINT         | `/readyz` says 503; services stop in reverse order, within `drainTimeMax`         |
/// | while `start` runs        | its task is cancelled                                                             |
/// | a second signal           | everything is cancelled, at most 2 s are waited                                   |
/// | a service ends or throws  | one sentence, the others stop in order, `failed`                                  |
///
/// - Parameters:
///   - start: prepares in order (database, migrations, folders) and returns the services in order of dependence:
///     what others need comes first and stops last.
///   - management: listens before `start` has finished, so that `/healthz` answers early; stops last of all.
/// - Returns: give it to `exit`.
package func runService(
    logger: Logger, management: ManagementServer, drainTimeMax: Duration = .seconds(30),
    start: @escaping @Sendable () async throws -> [any Service]
) async -> ExitStatus {
    ProcessMetrics.begin()
    _ = PrometheusMetrics.system
    let run = ServiceRun(logger: logger, management: management, drainTimeMax: drainTimeMax)
    return await run.untilStopped(signals: UnixSignalsSequence(trapping: .sigterm, .sigint), start: start)
}

/// One run of `runService`; apart from it so that tests can send the signals.
struct ServiceRun: Sendable {
    let logger: Logger
    let management: ManagementServer
    let drainTimeMax: Duration
    /// Ends the process when something does not let go in time.
    var end: @Sendable (ExitStatus) -> Void = { exit($0.rawValue) }
    /// How long a second signal leaves to what is running.
    static let hurryTimeMax: Duration = .seconds(2)

    func untilStopped<Signals: AsyncSequence & Sendable>(
        signals: Signals, start: @escaping @Sendable () async throws -> [any Service]
    ) async -> ExitStatus where Signals.Failure == Never {
        let begun = StartedServices(start: start, management: management)
        let configuration: ServiceGroupConfiguration = {
            var configuration = ServiceGroupConfiguration(services: [management, begun], logger: quiet)
            configuration.maximumGracefulShutdownDuration = drainTimeMax
            return configuration
        }()
        let group = ServiceGroup(configuration: configuration)
        let watchdog = Watchdog(logger: logger, end: end)
        defer { watchdog.disarm() }
        return await withTaskGroup(of: ExitStatus?.self) { tasks in
            tasks.addTask { watchdog.verdict(await outcome { try await group.run() }, within: drainTimeMax) }
            tasks.addTask { await obey(signals, group, begun, watchdog) }
            // The first to give a verdict decides; the listener of signals has one only after a second signal.
            while let verdict = await tasks.next() {
                guard let verdict else { continue }
                tasks.cancelAll()
                return verdict
            }
            return .stopped
        }
    }

    /// ServiceLifecycle's own lines say nothing that ours don't.
    private var quiet: Logger {
        var quiet = logger
        quiet.logLevel = .error
        return quiet
    }

    private func outcome(_ run: () async throws -> Void) async -> ExitStatus {
        do {
            try await run()
            logger.notice("stopped")
            return .stopped
        } catch is CancellationError {
            logger.notice("stopped")
            return .stopped
        } catch {
            logger.error("\(Explanation.of(error))")
            return .failed
        }
    }

    private func obey<Signals: AsyncSequence & Sendable>(
        _ signals: Signals, _ group: ServiceGroup, _ begun: StartedServices, _ watchdog: Watchdog
    ) async -> ExitStatus? where Signals.Failure == Never {
        var count = 0
        for await _ in signals {
            count += 1
            if count > 1 { break }
            logger.notice("stopping; a second signal stops at once", metadata: ["time_max": "\(drainTimeMax)"])
            watchdog.arm(drainTimeMax + .seconds(5))
            management.startDraining()
            begun.cancelStart()
            await group.triggerGracefulShutdown()
        }
        guard count > 1 else { return nil }
        logger.warning("stopped at once, on a second signal")
        watchdog.arm(Self.hurryTimeMax)
        return .hurried
    }
}

/// Ends the process when a stop takes too long.
private final class Watchdog: Sendable {
    private let logger: Logger
    private let end: @Sendable (ExitStatus) -> Void
    private let timer = Mutex<Task<Void, any Error>?>(nil)
    private let begin = Mutex<ContinuousClock.Instant?>(nil)

    init(logger: Logger, end: @escaping @Sendable (ExitStatus) -> Void) {
        self.logger = logger
        self.end = end
    }

    /// The same status, unless the stop took so long that what still ran was cancelled.
    func verdict(_ status: ExitStatus, within limit: Duration) -> ExitStatus {
        guard status == .stopped, let begin = begin.withLock({ $0 }), ContinuousClock.now - begin >= limit else {
            return status
        }
        logger.warning("not everything had finished in time and was cancelled", metadata: ["time_max": "\(limit)"])
        return .hurried
    }

    func arm(_ limit: Duration) {
        begin.withLock { $0 = $0 ?? .now }
        let task = Task { [logger, end] in
            try await Task.sleep(for: limit)
            logger.error("parts of the program did not stop in time; ending it")
            end(.hurried)
        }
        timer.withLock { old in
            old?.cancel()
            old = task
        }
    }

    func disarm() { timer.withLock { $0?.cancel() } }
}

/// Runs `start`, then the services that it returns, as one service.
private final class StartedServices: Service {
    private let start: @Sendable () async throws -> [any Service]
    private let management: ManagementServer
    private let starting = Mutex<Task<[any Service], any Error>?>(nil)

    init(start: @escaping @Sendable () async throws -> [any Service], management: ManagementServer) {
        self.start = start
        self.management = management
    }

    func cancelStart() { starting.withLock { $0?.cancel() } }

    func run() async throws {
        let task = Task { try await start() }
        starting.withLock { $0 = task }
        let services = try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
        starting.withLock { $0 = nil }
        guard !services.isEmpty else { return try await gracefulShutdown() }
        var logger = Logger(label: "services")
        logger.logLevel = .error
        try await ServiceGroup(configuration: .init(services: services, logger: logger)).run()
    }
}

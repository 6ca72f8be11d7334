import ArgumentParser
import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Turns Ctrl-C and SIGTERM into a cancellation, so that a long command stops in order; the second one ends it at once.
enum Interruption {
    /// Runs a command that goes on where it was when it is run again, and prints what it did, stopped or not.
    ///
    /// - Throws: what `body` throws; exit code 130 if it was stopped.
    static func resumable(_ body: @escaping @Sendable () async throws -> Void, told summary: () -> String) async throws
    {
        let wasStopped = try await cancelling {
            do {
                try await body()
                return false
            } catch  where Task.isCancelled {
                return true
            }
        }
        print(summary())
        if wasStopped {
            CommandOutput.note("stopped; run the same command again to go on")
            throw ExitCode(130)
        }
    }

    /// Runs a command that leaves nothing half done when it is stopped.
    ///
    /// - Throws: what `body` throws; exit code 130 if it was stopped.
    static func stoppable<Answer: Sendable>(
        _ body: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let answer = try await cancelling { () async throws -> Answer? in
            do { return try await body() } catch  where Task.isCancelled { return nil }
        }
        if let answer { return answer }
        CommandOutput.note("stopped before its end")
        throw ExitCode(130)
    }

    private static func cancelling<Answer: Sendable>(
        _ body: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let work = Task { try await body() }
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if work.isCancelled { exit(128 + number) }
                work.cancel()
            }
            source.activate()
            return source
        }
        defer {
            for source in sources { source.cancel() }
            for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
        }
        return try await work.value
    }
}

package import Logging

/// Notifications of some channels, over a connection of its own that is made again whenever it breaks.
///
/// A notification is a hint, never the source of truth: one can be lost while the connection is away, or while the
/// reader is far behind. Both are told by `.reconnected`, on which readers look at the tables again.
package struct PostgresListener: Sendable {
    /// What a reader is told.
    package enum Event: Sendable, Equatable {
        /// Listening, for the first time or again: what was notified before may have been missed.
        case reconnected
        case notification(channel: String, payload: String)
    }

    /// Events that are kept for a slow reader.
    package static let backlogMax = 1024
    private static let checkInterval: Duration = .seconds(15)

    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let logger: Logger

    /// - Parameter channels: as `NOTIFY` spells them; quoted here, so upper case matters.
    package init(_ configuration: PostgresConfiguration, channels: [String], logger: Logger) {
        self.configuration = configuration
        self.channels = channels
        self.logger = logger
    }

    /// Starts to listen; ends when the sequence is dropped or its reader's task is cancelled.
    package func events() -> AsyncStream<Event> {
        let (stream, continuation) = AsyncStream<Event>.makeStream(bufferingPolicy: .bufferingNewest(Self.backlogMax))
        let task = Task { await keepListening(continuation) }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    private func keepListening(_ events: AsyncStream<Event>.Continuation) async {
        let first = Backoff(first: .milliseconds(100), most: .seconds(5))
        var backoff = first
        while !Task.isCancelled {
            do {
                try await listenOnce(events) { backoff = first }
                logger.notice("the connection that listens for notifications ended, and is made again")
            } catch  where Task.isCancelled { break } catch {
                logger.warning(
                    "listening for notifications failed, and is tried again", metadata: ["error": "\(error)"])
            }
            do { try await Task.sleep(for: backoff.next()) } catch { break }
        }
        events.finish()
    }

    /// Listens until the connection ends or the task is cancelled.
    private func listenOnce(
        _ events: AsyncStream<Event>.Continuation, _ isListening: () -> Void
    ) async throws {
        let (ended, end) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let connection = try await Connection.open(
            configuration,
            onNotification: { pass(.notification(channel: $0.channel, payload: $0.payload), to: events) },
            onEnd: { end.finish() })
        defer { connection.close() }
        for channel in channels { _ = try await connection.run(.script("LISTEN \(channel.quotedIdentifier)")) }
        isListening()
        pass(.reconnected, to: events)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in ended {} }
            group.addTask {
                // A peer that vanished says nothing: only asking shows it.
                while true {
                    try await Task.sleep(for: Self.checkInterval)
                    _ = try await connection.run(.script("SELECT 1"))
                }
            }
            try await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
    }

    private func pass(_ event: Event, to events: AsyncStream<Event>.Continuation) {
        // The oldest event made room: the reader must know that it missed something.
        if case .dropped = events.yield(event) { events.yield(.reconnected) }
    }
}

package import Logging
package import Postgres
import ServiceLifecycle

/// One connection that listens for notifications, for the feed's tail and for the board.
package struct FeedSignals: Service {
    let listener: PostgresListener
    let tail: FeedTail
    let board: ReplicaBoard

    package init(_ configuration: PostgresConfiguration, tail: FeedTail, board: ReplicaBoard, logger: Logger) {
        listener = PostgresListener(
            configuration, channels: [EventLog.channel, ReplicaNews.channel], logger: logger)
        self.tail = tail
        self.board = board
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            for await event in listener.events() {
                switch event {
                case .notification(EventLog.channel, _), .reconnected: tail.hint()
                case .notification(ReplicaNews.channel, let payload): board.heard(payload)
                case .notification: break
                }
            }
        }
    }
}

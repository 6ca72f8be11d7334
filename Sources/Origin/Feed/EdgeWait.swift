import Hosting
package import Logging
import Metrics

/// Waits until every connected edge, of all replicas, serves a change (I10).
package struct EdgeWait: Sendable {
    package static let timeMax: Duration = .milliseconds(500)

    let board: ReplicaBoard
    let logger: Logger

    package init(board: ReplicaBoard, logger: Logger) {
        self.board = board
        self.logger = logger
    }

    /// Returns when all edges have applied `position`, after 500 ms at the latest; at once when none is connected.
    ///
    /// Never throws and never fails the change, which is committed. Edges that missed it are named in the log.
    package func waitForEdges(_ position: UInt64) async {
        let begin = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await learnOfOthers(position)
                guard !board.behind(position).isEmpty else { return }
                for await _ in board.bell.listen() where board.behind(position).isEmpty { return }
            }
            group.addTask {
                // Ends early only when it is cancelled, because all edges have answered.
                try? await Task.sleep(for: Self.timeMax)
            }
            await group.next()
            group.cancelAll()
        }
        Metric.feedWaitSeconds.timer().record(duration: ContinuousClock.now - begin)
        let late = board.behind(position)
        guard !late.isEmpty else { return }
        logger.warning(
            "edges that have not applied position \(position) within 500 ms: \(late.joined(separator: ", "))",
            metadata: ["position": "\(position)"])
    }

    private func learnOfOthers(_ position: UInt64) async {
        do {
            try await board.readOthers()
        } catch {
            logger.warning(
                "other replicas' edges are not known just now; a change is answered without them",
                metadata: ["position": "\(position)", "error": "\(error)"])
        }
    }
}

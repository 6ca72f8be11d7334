/// What a fan-out measurement found; times in milliseconds, memory in bytes.
struct FanoutReport: Sendable, Encodable {
    struct Memory: Hashable, Sendable, Encodable {
        /// Before the first subscriber, with all of them open, and after the last change.
        let before: Int?
        let open: Int?
        let after: Int?
    }

    let subscribers: Int
    let stuck: Int
    let changes: Int
    let acknowledging: Bool
    /// Receipts that never came.
    let lost: Int
    let since_request: Percentiles?
    let since_first: Percentiles?
    /// How long the origin took to answer a change, acknowledgements included.
    let answer: Percentiles?
    let memory: Memory
    let memory_a_subscriber: Int?

    init(
        _ plan: FanoutRun.Plan, lost: Int, sinceRequest: [Double], sinceFirst: [Double], answers: [Double],
        memory: Memory
    ) {
        subscribers = plan.subscribers
        stuck = plan.stuck
        changes = plan.events
        acknowledging = plan.isAcknowledging
        self.lost = lost
        since_request = Percentiles(sinceRequest)
        since_first = Percentiles(sinceFirst)
        answer = Percentiles(answers)
        self.memory = memory
        if let before = memory.before, let open = memory.open {
            memory_a_subscriber = max(0, open - before) / (plan.subscribers + plan.stuck)
        } else {
            memory_a_subscriber = nil
        }
    }

    var text: String {
        let rows = [("since request", since_request), ("since first", since_first), ("answer", answer)]
        var text = Console.table(
            ["", "P50", "P99", "MAX", "COUNT"],
            rows.compactMap { name, found in found.map { [name] + $0.cells + ["\($0.count)"] } })
        text +=
            "\n\n\(subscribers) subscribers, \(stuck) stuck, \(changes) changes, "
            + (acknowledging ? "acknowledged" : "not acknowledged") + "; \(lost) receipts lost"
        if let memory_a_subscriber, let before = memory.before, let open = memory.open, let after = memory.after {
            text +=
                "\nresident memory: \(before >> 20) MiB before, \(open >> 20) MiB open, \(after >> 20) MiB after: "
                + "\(memory_a_subscriber >> 10) KiB a subscriber"
        }
        return text
    }
}

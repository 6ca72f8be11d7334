import NIOCore
import NIOSSL
import Registry

/// One measurement: opens the subscribers, makes the changes, gathers the receipts.
struct FanoutRun: Sendable {
    struct Plan: Sendable {
        let subscribers: Int
        let stuck: Int
        let events: Int
        let rate: Double
        let isAcknowledging: Bool
    }

    private static let openTimeMax: Duration = .seconds(60)
    private static let lastReceiptTimeMax: Duration = .seconds(15)
    private static let version = "1.0.0"

    let base: WebBase
    let plan: Plan
    let publisher: Publisher
    let credential: String
    let pid: Int?

    func measure(tls: TLSConfiguration) async throws -> FanoutReport {
        let crate = Publisher.freshName()
        Console.note("publishing \(crate)")
        try await publisher.publish(crate, Self.version)
        let receipts = Receipts(subscribers: plan.subscribers, changes: plan.events)
        let acknowledger = plan.isAcknowledging ? Acknowledger() : nil
        let subscribers = Subscribers(
            base: base, credential: credential, tls: try NIOSSLContext(configuration: tls), receipts: receipts,
            acknowledger: acknowledger)
        return try await withThrowingTaskGroup(of: FanoutReport?.self) { group in
            if let acknowledger {
                group.addTask {
                    try await acknowledger.run(base.url + EdgeWire.ackPath, credential: credential, web: publisher.web)
                    return nil
                }
            }
            group.addTask {
                defer { acknowledger?.finish() }
                return try await measure(crate, subscribers, receipts)
            }
            var report: FanoutReport?
            for try await part in group { report = part ?? report }
            guard let report else { preconditionFailure("a measurement reports or throws") }
            return report
        }
    }

    private func measure(_ crate: String, _ subscribers: Subscribers, _ receipts: Receipts) async throws -> FanoutReport
    {
        let memoryBefore = try pid.map(ProcessMemory.resident)
        let channels = try await open(subscribers, crate, receipts)
        let memoryOpen = try pid.map(ProcessMemory.resident)
        let times = try await change(crate)
        try await Self.wait(upTo: Self.lastReceiptTimeMax, failing: nil) { try receipts.missing() == 0 }
        let memoryAfter = try pid.map(ProcessMemory.resident)
        let lost = try receipts.missing()
        let first = receipts.first()
        for channel in channels { channel.close(promise: nil) }
        return FanoutReport(
            plan, lost: lost, sinceRequest: receipts.delays(since: times.map(\.sent)),
            // A change that nobody heard of has no receipts to count from it.
            sinceFirst: receipts.delays(since: first.map { $0 ?? .now() }),
            answers: times.map { Double(($0.answered - $0.sent).nanoseconds) / 1e6 },
            memory: FanoutReport.Memory(before: memoryBefore, open: memoryOpen, after: memoryAfter))
    }

    private func open(_ subscribers: Subscribers, _ crate: String, _ receipts: Receipts) async throws -> [any Channel] {
        let numbers = (0..<plan.subscribers).map(Optional.some) + Array(repeating: nil, count: plan.stuck)
        var channels: [any Channel] = []
        try await withThrowingTaskGroup(of: (any Channel).self) { group in
            for (place, number) in numbers.enumerated() {
                if place >= Subscribers.openingMax, let channel = try await group.next() { channels.append(channel) }
                group.addTask { try await subscribers.open(number, crate: crate) }
                if place % 250 == 249 { Console.note("\(place + 1) of \(numbers.count) subscribers") }
            }
            for try await channel in group { channels.append(channel) }
        }
        try await Self.wait(
            upTo: Self.openTimeMax, failing: "not every subscriber has heard a lease: is this an origin's address?"
        ) { try receipts.openCount() == numbers.count }
        // Two leases: the origin's own work for new streams is over.
        try await Task.sleep(for: .seconds(2))
        return channels
    }

    private func change(_ crate: String) async throws -> [(sent: NIODeadline, answered: NIODeadline)] {
        var times: [(sent: NIODeadline, answered: NIODeadline)] = []
        let begin = ContinuousClock.now
        for number in 0..<plan.events {
            try await Task.sleep(until: begin + .seconds(Double(number) / plan.rate), clock: .continuous)
            let sent = NIODeadline.now()
            try await publisher.yank(crate, Self.version, undo: number % 2 == 1)
            times.append((sent, .now()))
            if number % 25 == 24 { Console.note("\(number + 1) of \(plan.events) changes") }
        }
        return times
    }

    /// - Parameter failing: what to say when the time is over; nil goes on.
    private static func wait(upTo time: Duration, failing: String?, _ isDone: () throws -> Bool) async throws {
        let end = ContinuousClock.now + time
        while try !isDone() {
            guard ContinuousClock.now < end else {
                if let failing { throw BenchFailure(failing) }
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

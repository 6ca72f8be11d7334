import FoundationEssentials
import Hosting
import CoreMetrics
import Logging
import ServiceLifecycle

/// Tells webhooks of what they want to hear, about a second after it happened; each line at least once, in no fixed order.
struct WebhookService: Service {
    private static let interval: Duration = .seconds(1)
    /// Messages under way at once.
    private static let concurrentMax = 16

    let store: WebhookStore
    let trail: AuditTrail
    let seal: KeySeal
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await step()
                } catch is CancellationError {
                    return
                } catch {
                    logger.error("webhooks could not be told; tried again", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: .seconds(10))
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    /// Looks for new lines and sends everything that is due.
    func step() async throws {
        while try await store.enqueue(from: trail) {}
        while true {
            let due = try await store.claim(Self.concurrentMax, seal)
            guard !due.isEmpty else { return }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for delivery in due { group.addTask { try await deliver(delivery) } }
                try await group.waitForAll()
            }
        }
    }

    private func deliver(_ delivery: WebhookStore.Delivery) async throws {
        let (webhook, seq) = (delivery.webhook, delivery.seq)
        guard let line = try await trail.lines(after: seq - 1, upTo: seq).first else {
            return try await store.failed(
                delivery, "the line is not in the table any more, but in an archive", pause: nil)
        }
        let body = line.json
        let now = Int(Date.now.timeIntervalSince1970)
        let outcome = await HTTPPost(url: webhook.url, allowsPrivate: webhook.allowsPrivate).send(
            body,
            headers: [
                ("content-type", "application/json"), ("longshore-webhook", webhook.name),
                ("longshore-event", line.action), ("longshore-delivery", "\(seq)"),
                (WebhookSignature.header, WebhookSignature.value(of: body, secret: delivery.secret, now: now)),
            ])
        switch outcome {
        case .accepted:
            Metric.webhooks.counter(["result": "delivered"]).increment()
            try await store.delivered(delivery)
        case .refused(let why, let retryCanHelp, let asked):
            let isDead = !retryCanHelp || delivery.attempts >= Webhook.attemptsMax
            let pause = isDead ? nil : Webhook.pause(afterAttempt: delivery.attempts, asked: asked)
            Metric.webhooks.counter(["result": isDead ? "dead" : "failed"]).increment()
            if isDead {
                logger.error(
                    "webhook \(webhook.name) was not told of line \(seq), and it is not tried again",
                    metadata: ["webhook": "\(webhook.name)", "line": "\(seq)", "error": "\(why)"])
            }
            try await store.failed(delivery, why, pause: pause)
        }
    }
}

import NIOCore

/// One cargo's connections to one server, with cargo's patience: what fails is asked for again.
///
/// cargo begins to wait when a transfer fails; here all of a burst are in first, which is the same unless a slow answer
/// comes beside a failed one.
struct PatientClient: Sendable {
    /// What happened on the way to the outcomes.
    struct Tally: Sendable {
        var requests = 0
        var retries = 0
        var bytes = 0
        var errors: [String: Int] = [:]

        mutating func add(_ outcome: WireOutcome) {
            requests += 1
            switch outcome {
            case .success(let answer):
                bytes += answer.bodyBytes
                if answer.status >= 400, answer.status != 404 { errors["status \(answer.status)", default: 0] += 1 }
            case .failure(let failure): errors[failure.kind, default: 0] += 1
            }
        }

        mutating func add(_ other: Tally) {
            requests += other.requests
            retries += other.retries
            bytes += other.bytes
            errors.merge(other.errors) { $0 + $1 }
        }
    }

    let wire: WireClient

    /// - Parameter random: draws the first pauses.
    func ask(
        _ requests: [WireRequest], _ random: inout SeededRandom
    ) async -> (outcomes: [WireOutcome], tally: Tally) {
        var outcomes = await wire.burst(requests)
        var tally = Tally()
        for outcome in outcomes { tally.add(outcome) }
        var retries: [(place: Int, first: Double)] = []
        for (place, outcome) in outcomes.enumerated()
        where RetrySchedule.pause(after: outcome, failures: 1, first: 0) != nil {
            retries.append((place, Double.random(in: RetrySchedule.firstPause, using: &random)))
        }
        guard !retries.isEmpty else { return (outcomes, tally) }
        let failed = outcomes
        await withTaskGroup(of: (Int, WireOutcome, Tally).self) { group in
            for (place, first) in retries {
                group.addTask {
                    let (outcome, tally) = await again(requests[place], failed[place], first: first)
                    return (place, outcome, tally)
                }
            }
            for await (place, outcome, one) in group {
                outcomes[place] = outcome
                tally.add(one)
            }
        }
        return (outcomes, tally)
    }

    private func again(
        _ request: WireRequest, _ failed: WireOutcome, first: Double
    ) async -> (WireOutcome, Tally) {
        var (outcome, tally, failures) = (failed, Tally(), 1)
        while let pause = RetrySchedule.pause(after: outcome, failures: failures, first: first) {
            // A run that is ended early does not wait for the pause.
            guard (try? await Task.sleep(for: pause)) != nil else { break }
            outcome = await wire.burst([request])[0]
            tally.add(outcome)
            tally.retries += 1
            failures += 1
        }
        return (outcome, tally)
    }
}

import NIOCore

/// One cargo's connections to one server, with cargo's patience: what fails is asked for again, while the rest of the
/// burst goes on.
struct PatientClient: Sendable {
    /// What happened on the way to the outcomes.
    struct Tally: Sendable {
        var requests = 0
        var retries = 0
        var bytes = 0
        var spoken = SpokenCount()
        var errors: [String: Int] = [:]

        mutating func add(_ outcome: WireOutcome) {
            requests += 1
            switch outcome {
            case .success(let answer):
                bytes += answer.bodyBytes
                spoken.add(answer)
                if answer.status >= 400, answer.status != 404 { errors["status \(answer.status)", default: 0] += 1 }
            case .failure(let failure): errors[failure.kind, default: 0] += 1
            }
        }

        mutating func add(_ other: Tally) {
            requests += other.requests
            retries += other.retries
            bytes += other.bytes
            spoken = spoken + other.spoken
            errors.merge(other.errors) { $0 + $1 }
        }
    }

    let wire: WireClient

    private struct Failed: Sendable {
        let place: Int
        let outcome: WireOutcome
    }

    private struct Retried: Sendable {
        let place: Int
        let outcome: WireOutcome
        let tally: Tally
    }

    /// - Parameter random: draws the first pauses.
    func ask(
        _ requests: [WireRequest], _ random: inout SeededRandom
    ) async -> (outcomes: [WireOutcome], tally: Tally) {
        let firsts = requests.map { _ in Double.random(in: RetrySchedule.firstPause, using: &random) }
        let (failures, continuation) = AsyncStream.makeStream(of: Failed.self)
        return await withTaskGroup(of: Retried.self) { group in
            async let burst = burst(requests, continuation)
            for await failed in failures {
                group.addTask {
                    let place = failed.place
                    let (outcome, tally) = await again(requests[place], failed.outcome, first: firsts[place])
                    return Retried(place: place, outcome: outcome, tally: tally)
                }
            }
            var (outcomes, tally) = (await burst, Tally())
            for outcome in outcomes { tally.add(outcome) }
            for await retried in group {
                outcomes[retried.place] = retried.outcome
                tally.add(retried.tally)
            }
            return (outcomes, tally)
        }
    }

    private func burst(
        _ requests: [WireRequest], _ failures: AsyncStream<Failed>.Continuation
    ) async -> [WireOutcome] {
        let outcomes = await wire.burst(requests) { place, outcome in
            guard RetrySchedule.pause(after: outcome, failures: 1, first: 0) != nil else { return }
            failures.yield(Failed(place: place, outcome: outcome))
        }
        failures.finish()
        return outcomes
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

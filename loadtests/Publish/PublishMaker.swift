import NIOCore
import Registry

/// Publishers: each session is one version of a crate, from before its upload until the last edge has it.
struct PublishMaker: SessionMaker {
    /// An index in which a version is waited for.
    struct Place: Hashable, Sendable {
        let name: String
        /// Ends in a slash.
        let index: String
    }

    /// Sessions under way touch crates of their own as long as there are no more of them.
    static let cratesMax = 50
    /// As long as cargo waits.
    static let patience: Duration = .seconds(60)

    let publisher: Publisher
    let index: String
    let places: [Place]
    let poll: Duration
    /// No other run has crates that begin so.
    private let prefix = Publisher.freshName()

    init(publisher: Publisher, index: String, places: [Place], poll: Duration) {
        self.publisher = publisher
        self.index = index
        self.places = places
        self.poll = poll
    }

    func session(
        user: Int, number: Int, intended: NIODeadline, random: inout SeededRandom
    ) async -> SessionRecord {
        let (name, version) = ("\(prefix)-\(number % Self.cratesMax)", "1.0.\(number / Self.cratesMax)")
        var record = SessionRecord(kind: .publish, intended: intended, began: .now(), ended: .now())
        guard let path = (try? CrateName(name))?.indexPath else { preconditionFailure("the name is ours") }
        await lookBefore(path, &record)
        let sent = NIODeadline.now()
        await withTaskGroup(of: Part.self) { group in
            group.addTask { await upload(name, version, sent) }
            for place in places { group.addTask { await wait(for: version, path, at: place, since: sent) } }
            for await part in group {
                record.add(part)
                // What was refused is waited for in vain.
                if part.isUpload, part.error != nil { group.cancelAll() }
            }
        }
        record.ended = .now()
        record.rounds = 3
        return record
    }

    /// cargo asks whether the version is there already. An edge that remembers what is not there learns it here.
    private func lookBefore(_ path: IndexPath, _ record: inout SessionRecord) async {
        for (place, expected) in [("config.json", [200]), ("\(path)", [200, 404])] {
            record.requests += 1
            do throws(Web.NoPage) {
                let page = try await publisher.web.attempt(index + place, token: publisher.token)
                record.bytes += page.text.utf8.count
                if !expected.contains(page.status) { record.fail("index: status \(page.status)") }
            } catch { record.fail("index: \(error.why)") }
        }
    }

    private func upload(_ name: String, _ version: String, _ sent: NIODeadline) async -> Part {
        var part = Part(isUpload: true, step: "answered", requests: 1)
        do {
            let status = try await publisher.status(publishing: name, version)
            part.took = .now() - sent
            if status != 200 { part.error = "publish: status \(status)" }
        } catch {
            part.error = "publish: no answer"
        }
        return part
    }

    private func wait(for version: String, _ path: IndexPath, at place: Place, since sent: NIODeadline) async -> Part {
        var part = Part(isUpload: false, step: "visible at \(place.name)")
        let mark = "\"vers\":\"\(version)\""
        let end = ContinuousClock.now + Self.patience
        while ContinuousClock.now < end, !Task.isCancelled {
            part.requests += 1
            do throws(Web.NoPage) {
                let page = try await publisher.web.attempt(place.index + "\(path)", token: publisher.token)
                part.bytes += page.text.utf8.count
                if page.status == 200, page.text.contains(mark) {
                    part.took = .now() - sent
                    return part
                }
                if page.status != 200, page.status != 404 {
                    part.troubles["\(place.name): status \(page.status)", default: 0] += 1
                }
            } catch {
                if !Task.isCancelled { part.troubles["\(place.name): \(error.why)", default: 0] += 1 }
            }
            guard (try? await Task.sleep(for: poll)) != nil else { break }
        }
        part.error = Task.isCancelled ? "" : "never visible at \(place.name)"
        return part
    }

    /// What one of a session's tasks saw.
    fileprivate struct Part: Sendable {
        let isUpload: Bool
        let step: String
        var requests = 0
        var bytes = 0
        var took: TimeAmount?
        /// What made it fail; empty if another part's failure did.
        var error: String?
        /// What went wrong on the way.
        var troubles: [String: Int] = [:]
    }
}

extension SessionRecord {
    fileprivate mutating func fail(_ error: String) {
        errors[error, default: 0] += 1
        hasFailed = true
    }

    fileprivate mutating func add(_ part: PublishMaker.Part) {
        requests += part.requests
        bytes += part.bytes
        errors.merge(part.troubles) { $0 + $1 }
        if let error = part.error {
            if error.isEmpty { hasFailed = true } else { fail(error) }
        } else if let took = part.took {
            steps.append((part.step, .nanoseconds(took.nanoseconds)))
        }
    }
}

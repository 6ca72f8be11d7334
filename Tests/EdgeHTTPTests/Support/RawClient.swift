/// A connection that sends exactly the given bytes and keeps what comes.
protocol RawClient: Sendable {
    /// Everything that has come so far.
    var received: [UInt8] { get }

    func send(_ bytes: [UInt8]) async throws
    func send(_ text: String) async throws

    /// Waits for more, a minute at most.
    ///
    /// - Returns: false at the end of the stream or a reset.
    func receive() async throws -> Bool
}

struct RawFailure: Error { let step: String }

extension RawClient {
    func receiveAll() async throws -> String {
        while try await receive() {}
        return String(decoding: received, as: UTF8.self)
    }

    func receive(until marker: String) async throws -> String {
        while true {
            let text = String(decoding: received, as: UTF8.self)
            if text.contains(marker) { return text }
            guard try await receive() else { throw RawFailure(step: "ended before \(marker), after \(text)") }
        }
    }
}

import NIOCore

/// Whether a client takes what it is sent, seen from how much has left.
struct WriteProgress {
    /// Bytes given to the channel since the connection began.
    var handed = 0
    private var sent = 0
    private var since: NIODeadline?

    /// - Parameters:
    ///   - buffered: bytes that the channel has not been able to send yet.
    ///   - waits: true if the protocol itself holds bytes back for the client.
    mutating func isStalled(_ now: NIODeadline, buffered: Int, waits: Bool, limit: TimeAmount) -> Bool {
        let sentNow = handed - buffered
        guard buffered > 0 || waits, let since, sentNow == sent else {
            sent = sentNow
            since = now
            return false
        }
        return now > since + limit
    }
}

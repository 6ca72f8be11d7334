extension Setting {
    /// The rows that every long-running program has; append them to its own table.
    ///
    /// Read by `ServiceLog.bootstrap(_:)` and by whoever makes the `ManagementServer`.
    /// - Parameter managementAddress: the default, `127.0.0.1:9080` for the origin.
    package static func common(managementAddress: String) -> [Setting] {
        [
            Setting(
                "management-address", .address, default: managementAddress,
                "where /healthz, /readyz and /metrics are served; keep it away from the public"),
            Setting(
                "log-level", .choice(["trace", "debug", "info", "notice", "warning", "error"]), default: "info",
                "the least important lines that are still written"),
            Setting(
                "log-format", .choice(["auto", "json", "text"]), default: "auto",
                "json: one JSON object a line; text: for people; auto: text on a terminal, json elsewhere"),
            Setting(
                "shutdown-time-max", .duration(.zero ... .seconds(3600)), default: "30s",
                "after SIGTERM, how long running requests may take to finish"),
        ]
    }
}

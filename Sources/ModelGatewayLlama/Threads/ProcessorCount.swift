// How many threads can compute at once without getting in each other's way.

#if LlamaCpp

import CLlama
import GatewaySystem

/// The processors that this process may use.
enum ProcessorCount {
    /// One for each physical core, and no more than the container's share of processor time allows.
    ///
    /// Matrix arithmetic gains nothing from a core's second hardware thread, and threads beyond a cgroup's quota would
    /// be stopped in turn while the others wait for them.
    static var physical: Int {
        var count = ThisProcess.processors
        #if os(Linux)
        var cores: Set<String> = []
        for cpu in 0..<count {
            guard let siblings = SystemFile.line("/sys/devices/system/cpu/cpu\(cpu)/topology/thread_siblings") else {
                continue
            }
            cores.insert(siblings)
        }
        if !cores.isEmpty { count = min(count, cores.count) }
        let allowed = Int(modelgateway_llama_allowed_processors())
        if allowed > 0 { count = min(count, allowed) }
        if let quota = quota(controlGroups: "/sys/fs/cgroup", membership: "/proc/self/cgroup") {
            count = min(count, max(1, Int(quota)))
        }
        #endif
        return count
    }

    /// How many processors' time the control groups of this process may use; nil without a limit.
    ///
    /// A limit of a group holds for those in it too, so all groups from the process's own up to the root count. Within a
    /// container its own group may be the root of what it sees, whatever the process's path says.
    static func quota(controlGroups root: String, membership: String) -> Double? {
        var limits: [Double] = []
        let text = SystemFile.read(membership, atMost: 1 << 16).map { String(decoding: $0, as: UTF8.self) } ?? ""
        var groups = [(mount: root, path: ""), (mount: root + "/cpu", path: "")]
        for line in text.split(separator: "\n") {
            // "0::/path", or "4:cpu,cpuacct:/path" in version 1.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[1].isEmpty { groups.append((root, String(fields[2]))) }
            if fields[1].split(separator: ",").contains("cpu") {
                groups.append((root + "/cpu", String(fields[2])))
                groups.append((root + "/" + fields[1], String(fields[2])))
            }
        }
        for (mount, path) in groups {
            var names = path.split(separator: "/")[...]
            while true {
                let directory = names.reduce(into: mount) { $0 += "/" + $1 }
                if let limit = limit(in: directory) { limits.append(limit) }
                if names.popLast() == nil { break }
            }
        }
        return limits.min()
    }

    private static func limit(in directory: String) -> Double? {
        // Version 2: "QUOTA PERIOD" in microseconds, or "max PERIOD". Version 1 has a file for each, and -1 for no limit.
        let numbers =
            SystemFile.line(directory + "/cpu.max")?.split(separator: " ").map { Double($0) }
            ?? ["quota", "period"].map { SystemFile.line(directory + "/cpu.cfs_\($0)_us").flatMap(Double.init) }
        guard numbers.count == 2, let quota = numbers[0], let period = numbers[1], quota > 0, period > 0 else {
            return nil
        }
        return quota / period
    }
}

#endif

# A Windows program under silo's supervision, with the limits that Nomad reserved for it.
#
# raw_exec applies no limit on Windows; silo supervise applies those of the resources block, and ends the whole process
# tree when Nomad ends it. Put silo.exe on every client, or fetch it as an artifact.
job "web" {
  datacenters = ["dc1"]
  type        = "service"

  constraint {
    attribute = "${attr.kernel.name}"
    value     = "windows"
  }

  group "web" {
    network {
      port "http" {}
      port "damon" {} # becomes NOMAD_ADDR_damon, where the metrics are
    }

    task "web" {
      driver = "raw_exec"

      config {
        command = "C:\\Program Files\\silo\\silo.exe"
        args    = ["supervise", "C:\\app\\web.exe", "--port", "${NOMAD_PORT_http}"]
      }

      env {
        DAMON_LOG_MAX_SIZE     = "10"
        DAMON_LOG_MAX_FILES    = "5"
        DAMON_RESTRICTED_TOKEN = "yes"
      }

      resources {
        cpu        = 1000 # MHz: a hard cap
        memory     = 512  # MB
        memory_max = 768  # MB: the hard limit, where memory oversubscription is on
      }

      # Longer than the 30 seconds that the program has after Ctrl+Break.
      kill_timeout = "40s"

      service {
        name     = "web-metrics"
        provider = "nomad" # without a provider Nomad asks Consul
        port     = "damon"
        check {
          type     = "http"
          path     = "/metrics"
          interval = "30s"
          timeout  = "5s"
        }
      }
    }
  }
}
